// Docker's times. On the wire they are "seconds.nanoseconds" or RFC 3339 with nanoseconds; here they are a
// bigint of nanoseconds since 1970, because a number cannot hold them exactly.
import { parseDurationMs } from './duration.ts';

const nsPerSecond = 1_000_000_000n;
const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

/** "1700000000" or "1700000000.000000001"; undefined for anything else. */
export function parseUnixTimestamp(text: string): bigint | undefined {
  const parts = /^(-?\d{1,15})(?:\.(\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  return BigInt(parts[1] ?? '0') * nsPerSecond + fractionNs(parts[2]);
}

/** "1700000000.000000001", always with nine digits. */
export function formatUnixTimestamp(ns: bigint): string {
  const fraction = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
  return `${(ns - fraction) / nsPerSecond}.${fraction.toString().padStart(9, '0')}`;
}

/** RFC 3339, also shortened ("2024-01-31", "2024-01-31T10:20"); without a zone it is UTC. undefined for anything else. */
export function parseRfc3339(text: string): bigint | undefined {
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction, zone = 'Z'] = parts;
  const ms = Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + fractionNs(fraction);
}

/** As the engine writes times: UTC, without trailing zeros of the fraction. */
export function formatRfc3339(ns: bigint): string {
  const fraction = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
  const seconds = new Date(Number((ns - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

/** What `since`, `until` and the `until` filter take: unix time, RFC 3339, or a duration before `nowMs`. undefined for anything else. */
export function parseTimestamp(text: string, nowMs: number): bigint | undefined {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined && text !== '0') return BigInt(Math.round(nowMs - durationMs)) * 1_000_000n;
  return parseUnixTimestamp(text) ?? parseRfc3339(text);
}

/** Milliseconds of a time of an inspect; undefined when it is absent or Go's zero time ("0001-01-01T00:00:00Z"). */
export function parseTimeMs(text: string | undefined): number | undefined {
  const ns = text === undefined ? undefined : parseRfc3339(text);
  return ns === undefined || ns <= 0n ? undefined : Number(ns / 1_000_000n);
}

function fractionNs(digits: string | undefined): bigint {
  return digits === undefined ? 0n : BigInt(digits.padEnd(9, '0'));
}
