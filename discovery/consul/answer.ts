// What Consul's answers say about the membership. Pure: only an orderly withdrawal takes an engine away, whatever
// the list of services says.
import { parseAddress, formatHostPort, sortMembership, withFacts } from '../entry.ts';
import type { DiscoveryEntry } from '../backend.ts';

export interface ConsulAnswer {
  /** The position of the answer for the next blocking query; 0 when the answer has none. */
  readonly index: number;
  readonly announced: readonly DiscoveryEntry[];
  /** The addresses that were withdrawn in order. */
  readonly withdrawn: ReadonlySet<string>;
}

export interface MergedMembership {
  readonly entries: readonly DiscoveryEntry[];
  /** True while an engine is a member only because it was never withdrawn. */
  readonly hasMissing: boolean;
}

/**
 * The membership after an answer: what is announced, and every engine known before that has vanished without having
 * been withdrawn, no longer alive.
 */
export function mergeMembership(
  known: readonly DiscoveryEntry[],
  { announced, withdrawn }: Pick<ConsulAnswer, 'announced' | 'withdrawn'>,
): MergedMembership {
  const present = new Set(announced.map((entry) => entry.address));
  const vanished = known.filter(({ address }) => !present.has(address) && !withdrawn.has(address));
  const entries = sortMembership([
    ...announced.filter(({ address }) => !withdrawn.has(address)),
    ...vanished.map((entry) => ({ ...entry, alive: false })),
  ]);
  return { entries, hasMissing: vanished.length > 0 };
}

/** The headers and the body of an answer of the package that was asked for with the response. */
export function splitAnswer(answer: unknown): { readonly headers: unknown; readonly body: unknown } {
  const parts: readonly unknown[] = Array.isArray(answer) ? answer : [];
  return { headers: field(parts[0], 'headers'), body: parts[1] };
}

/** The index of a blocking query, from the headers of its answer; 0 when there is none. */
export function parseIndex(headers: unknown): number {
  const index = Number(field(headers, 'x-consul-index'));
  return Number.isSafeInteger(index) && index > 0 ? index : 0;
}

/** The engines of an answer of health.service. A service without a usable address is left out. */
export function parseServices(body: unknown): readonly DiscoveryEntry[] {
  if (!Array.isArray(body)) throw new Error('consul answered something else than a list of services');
  return body.flatMap((item: unknown) => {
    const address = parseServiceAddress(item);
    if (address === undefined) return [];
    const facts = parseFacts(field(field(item, 'Service'), 'Meta'));
    return [{ address, alive: isAlive(field(item, 'Checks')), ...withFacts(facts) }];
  });
}

/** Facts as metadata of a service, in pieces: Consul takes values of 512 bytes. */
export function factsMeta(facts: string): Readonly<Record<string, string>> {
  // A character may be up to three bytes.
  const pieces = facts.match(/[^]{1,170}/gu) ?? [];
  return Object.fromEntries(pieces.map((piece, index) => [`${factsKey}${index}`, piece]));
}

const factsKey = 'facts-';

function parseFacts(meta: unknown): string | undefined {
  const pieces: string[] = [];
  for (
    let piece = field(meta, `${factsKey}0`);
    typeof piece === 'string';
    piece = field(meta, `${factsKey}${pieces.length}`)
  ) {
    pieces.push(piece);
  }
  return pieces.length === 0 ? undefined : pieces.join('');
}

/** The addresses under `folder` in an answer of kv.keys. */
export function parseWithdrawn(body: unknown, folder: string): ReadonlySet<string> {
  const keys: unknown[] = Array.isArray(body) ? body : [];
  return new Set(
    keys.flatMap((key) => (typeof key === 'string' && key.startsWith(folder) ? [key.slice(folder.length)] : [])),
  );
}

/** The version of the key in an answer of kv.get; undefined when there is no such key. */
export function parseModifyIndex(body: unknown): number | undefined {
  const index = field(body, 'ModifyIndex');
  return typeof index === 'number' ? index : undefined;
}

/** The text and version of the key in an answer of kv.get; version 0 and no text when there is no such key. */
export function parseKey(body: unknown): { readonly version: number; readonly text: string } {
  const text = field(body, 'Value');
  return { version: parseModifyIndex(body) ?? 0, text: typeof text === 'string' ? text : '' };
}

function parseServiceAddress(item: unknown): string | undefined {
  const service = field(item, 'Service');
  const serviceHost = field(service, 'Address');
  // A service without an address of its own is at the address of its Consul node.
  const host = serviceHost === '' ? field(field(item, 'Node'), 'Address') : serviceHost;
  const port = field(service, 'Port');
  if (typeof host !== 'string' || typeof port !== 'number') return undefined;
  try {
    return parseAddress(formatHostPort({ host, port }));
  } catch {
    return undefined;
  }
}

/** True when no check is critical, the one of the Consul node among them. */
function isAlive(checks: unknown): boolean {
  return Array.isArray(checks) && checks.every((check) => field(check, 'Status') !== 'critical');
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(key);
}
