// The text of addresses and the order of sets: "host:port" in one canonical form, so that an engine written in
// two ways is one engine, and two sets are equal exactly when they say the same.
import { isIPv4, isIPv6 } from 'node:net';
import { compareText } from '../src/common/compare-text.ts';
import { badRequest } from '../src/common/errors.ts';
import type { DiscoveryEntry } from './backend.ts';

export interface HostPort {
  /** A name or an address; an IPv6 address stands without brackets. */
  readonly host: string;
  readonly port: number;
}

/** More addresses than this in one list are a typing error, not a cluster. */
const maxAddresses = 65_536;

const hostName = /^(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?$/;

/** Reads `host:port` or `[ipv6]:port`; the port is required. Throws a 400 of one line. */
export function parseHostPort(text: string): HostPort {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text.trim());
  if (!parts) throw badRequest(`invalid address ${JSON.stringify(text)}: expected HOST:PORT or [IPV6]:PORT`);
  const [, bracketed, plain, digits] = parts;
  const port = Number(digits);
  if (port < 1 || port > 65_535) {
    throw badRequest(`invalid address ${JSON.stringify(text)}: the port must be between 1 and 65535`);
  }
  const host = bracketed === undefined ? parseName(plain ?? '') : parseIPv6(bracketed);
  if (host === undefined) throw badRequest(`invalid address ${JSON.stringify(text)}: no such host name or IP address`);
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The canonical form of an address. Throws a 400 of one line. */
export function parseAddress(text: string): string {
  return formatHostPort(parseHostPort(text));
}

/**
 * The addresses of a comma-separated list in canonical form, in the order written, each once. `[1:20]` anywhere in
 * an item stands for every number from 1 to 20. Throws a 400 of one line; an empty list is one too.
 */
export function parseAddressList(text: string): readonly string[] {
  const items = text.split(',').map((item) => item.trim());
  const addresses = new Set<string>();
  for (const item of items.filter((each) => each !== '')) {
    for (const address of expandRanges(item)) addresses.add(parseAddress(address));
    if (addresses.size > maxAddresses) throw tooMany(text);
  }
  if (addresses.size === 0) throw badRequest('the list of engines is empty: expected HOST:PORT[,HOST:PORT]');
  return [...addresses];
}

/** `item` with each range `[from:to]` replaced by its numbers; an item without a range is returned alone. */
export function expandRanges(item: string): readonly string[] {
  const parts = /^(.*?)\[(\d{1,9}):(\d{1,9})\](.*)$/.exec(item);
  if (!parts) return [item];
  const [, before = '', first, last, after = ''] = parts;
  const from = Number(first);
  const to = Number(last);
  if (from > to) throw badRequest(`invalid range in ${JSON.stringify(item)}: ${from} is greater than ${to}`);
  const tails = expandRanges(after);
  if ((to - from + 1) * tails.length > maxAddresses) throw tooMany(item);
  return Array.from({ length: to - from + 1 }, (_, offset) => from + offset).flatMap((number) =>
    tails.map((tail) => `${before}${number}${tail}`),
  );
}

/** The part of an entry that its facts are. */
export function withFacts(facts: string | undefined): Pick<DiscoveryEntry, 'facts'> {
  return facts === undefined ? {} : { facts };
}

/** The entries in the order of their addresses, one for each; alive when any entry of that address is. */
export function sortMembership(entries: Iterable<DiscoveryEntry>): readonly DiscoveryEntry[] {
  const byAddress = new Map<string, DiscoveryEntry>();
  for (const entry of entries) {
    if (!byAddress.get(entry.address)?.alive) byAddress.set(entry.address, entry);
  }
  return [...byAddress.values()].sort((a, b) => compareText(a.address, b.address));
}

/** True when two sets in the order of `sortMembership` say the same. */
export function sameMembership(a: readonly DiscoveryEntry[], b: readonly DiscoveryEntry[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((entry, position) => {
    const other = b[position];
    if (other?.address !== entry.address || other.alive !== entry.alive || other.facts !== entry.facts) return false;
    return (other.missing ?? false) === (entry.missing ?? false);
  });
}

function parseName(text: string): string | undefined {
  const name = text.toLowerCase();
  // Digits and dots alone can only be meant as an IPv4 address: 10.0.0.300 is a mistake, not a name.
  if (/^[\d.]+$/.test(name)) return isIPv4(name) ? name : undefined;
  return name.length <= 253 && hostName.test(name) ? name : undefined;
}

function parseIPv6(text: string): string | undefined {
  if (!isIPv6(text)) return undefined;
  const [address = '', zone] = text.toLowerCase().split('%');
  const shortest = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return zone === undefined ? shortest : `${shortest}%${zone}`;
}

function tooMany(text: string): Error {
  return badRequest(`${JSON.stringify(text.slice(0, 80))} names more than ${maxAddresses} engines`);
}
