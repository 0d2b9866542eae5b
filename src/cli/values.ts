// The values of flags: each parser names the flag and what it accepts when a value is refused.
import { InvalidArgumentError } from 'commander';
import { logLevels, type LogLevel } from '../common/logger.ts';
import { parseDurationMs } from '../docker/duration.ts';

export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** An address that the API is served on. */
export type ListenAddress = TcpAddress | { readonly kind: 'unix'; readonly path: string };

/** A duration as Go writes it, at least `minMs`, in milliseconds. `rule` says what a refused one breaks. */
export function durationOfAtLeast(minMs: number, rule?: string): (text: string) => number {
  return (text) => {
    const ms = parseDurationMs(text);
    if (ms === undefined || ms < minMs) {
      const accepted = `It must be a duration of at least ${minMs}ms, such as 500ms, 1s or 2m.`;
      throw new InvalidArgumentError(rule === undefined ? accepted : `${rule}. ${accepted}`);
    }
    return ms;
  };
}

/** A whole number of at least `min`. `rule` says what a refused one breaks. */
export function wholeNumberOfAtLeast(min: number, rule?: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
      const accepted = `It must be a whole number of at least ${min}.`;
      throw new InvalidArgumentError(rule === undefined ? accepted : `${rule}. ${accepted}`);
    }
    return value;
  };
}

/** One of `accepted`; `aliases` are other spellings of some of them. */
export function oneOf(accepted: readonly string[], aliases: Readonly<Record<string, string>> = {}) {
  return (text: string): string => {
    const value = Object.hasOwn(aliases, text) ? aliases[text] : text;
    if (value === undefined || !accepted.includes(value)) {
      throw new InvalidArgumentError(`It must be one of ${accepted.join(', ')}.`);
    }
    return value;
  };
}

/** A level of the log; `fatal` and `panic`, which the ancestor knew, mean `error`. */
export function logLevel(text: string): LogLevel {
  const wanted = text === 'fatal' || text === 'panic' ? 'error' : text === 'warning' ? 'warn' : text;
  const level = logLevels.find((known) => known === wanted);
  if (level === undefined) throw new InvalidArgumentError(`It must be one of ${logLevels.join(', ')}.`);
  return level;
}

/** Whose connections use TLS. */
export type TlsLegs = 'both' | 'clients' | 'engines';

export function tlsLegs(text: string): TlsLegs {
  if (text === 'both' || text === 'clients' || text === 'engines') return text;
  throw new InvalidArgumentError('It must be both, clients or engines.');
}

/** How far networks reach. */
export type ClusterNetworks = 'auto' | 'overlay' | 'bridge';

export function clusterNetworks(text: string): ClusterNetworks {
  if (text === 'auto' || text === 'overlay' || text === 'bridge') return text;
  throw new InvalidArgumentError('It must be auto, overlay or bridge.');
}

/** `tcp://HOST:PORT`, `HOST:PORT`, `:PORT` (every address) or `unix://PATH`; an IPv6 host stands in brackets. */
export function listenAddress(text: string): ListenAddress {
  if (text.startsWith('unix://') && text.length > 'unix://'.length) {
    return { kind: 'unix', path: text.slice('unix://'.length) };
  }
  const parts = /^(?:tcp:\/\/)?(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:/[\]]*)):(\d+)$/.exec(text);
  const port = Number(parts?.[3]);
  if (!parts || port > 65535) {
    throw new InvalidArgumentError('It must be tcp://HOST:PORT or unix://PATH.');
  }
  return { kind: 'tcp', host: parts[1] ?? (parts[2] === '' ? '0.0.0.0' : (parts[2] ?? '')), port };
}

/** For flags that may stand several times: the first use replaces the default, later ones add to it. */
export function collected<T>(
  parse: (text: string) => T,
): (text: string, previous: readonly T[] | undefined) => readonly T[] {
  let isFirst = true;
  return (text, previous) => {
    const kept = isFirst ? [] : (previous ?? []);
    isFirst = false;
    return [...kept, parse(text)];
  };
}

/** `key=value`. */
export function keyValue(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Where an agent serves its engine: a port that others reach. */
export function doorAddress(text: string): TcpAddress {
  const address = listenAddress(text);
  if (address.kind === 'unix' || address.port === 0) throw new InvalidArgumentError('It must be HOST:PORT.');
  return address;
}

/** `unix://PATH` or `tcp://HOST:PORT`. */
export function engineAddress(text: string): ListenAddress {
  const address = /^(?:unix|tcp):\/\/./.test(text) ? listenAddress(text) : undefined;
  if (address === undefined || (address.kind === 'tcp' && address.port === 0)) {
    throw new InvalidArgumentError('It must be unix://PATH or tcp://HOST:PORT.');
  }
  return address;
}

/** Where managers reach what listens on `address`; undefined when it is every address of the machine. */
export function advertisedFor({ host, port }: TcpAddress): string | undefined {
  if (host === '0.0.0.0' || /^[0:]*$/.test(host)) return undefined;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What containers must leave to the node. */
export interface Reserve {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
}

export const noReserve: Reserve = { nanoCpus: 0, memoryBytes: 0 };

/** `cpus=0.5,memory=512m`, or one of them; memory in bytes, or with k, m or g. */
export function reserve(text: string): Reserve {
  const parts = text.split(',').map((part) => /^(?:cpus=(\d+(?:\.\d+)?)|memory=(\d+)([kmg]?)b?)$/i.exec(part));
  return parts.reduce<Reserve>((sum, part) => {
    if (part === null)
      throw new InvalidArgumentError('It must be cpus=NUMBER,memory=BYTES, such as cpus=0.5,memory=512m.');
    const [, cpus, memory, unit = ''] = part;
    if (cpus !== undefined) return { ...sum, nanoCpus: Math.round(Number(cpus) * 1e9) };
    return { ...sum, memoryBytes: Number(memory) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ') };
  }, noReserve);
}

const missingAdvertise = 'missing mandatory --advertise flag. It must be HOST:PORT as others reach it.';

/** `HOST:PORT` as other machines reach it. */
export function advertisedAddress(text: string): string {
  if (text === '') throw new InvalidArgumentError(missingAdvertise);
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]\s]+)):(\d+)$/.exec(text);
  const port = Number(parts?.[3]);
  const host = parts?.[1] ?? parts?.[2];
  if (!parts || port < 1 || port > 65535) {
    throw new InvalidArgumentError(
      '--advertise should be of the form ip:port or hostname:port. It must be HOST:PORT as others reach it.',
    );
  }
  if (host === '0.0.0.0' || host === '::') {
    throw new InvalidArgumentError('It must be HOST:PORT as others reach it, not the address of every interface.');
  }
  return text;
}
