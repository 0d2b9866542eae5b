// What Consul's answers say about the membership. Pure; what is no engine is left out.
import { IncomingMessage } from 'node:http';
import { parseAddress, formatHostPort, withFacts } from '../entry.ts';
import type { DiscoveryEntry } from '../backend.ts';
import { jsonMember } from '../json-member.ts';
import type { KeyText } from '../key-store.ts';

/** The headers and the body of an answer of the package that was asked for with the response. */
export function splitAnswer(answer: unknown): { readonly headers: unknown; readonly body: unknown } {
  const parts: readonly unknown[] = Array.isArray(answer) ? answer : [];
  const [response, body] = parts;
  // No member of its own: the class has them.
  return { headers: response instanceof IncomingMessage ? response.headers : undefined, body };
}

/** The index of a blocking query, from the headers of its answer; 0 when there is none. */
export function parseIndex(headers: unknown): number {
  const index = Number(jsonMember(headers, 'x-consul-index'));
  return Number.isSafeInteger(index) && index > 0 ? index : 0;
}

/** The engines of an answer of health.service. A service without a usable address is left out. */
export function parseServices(body: unknown): readonly DiscoveryEntry[] {
  if (!Array.isArray(body)) throw new Error('consul answered something else than a list of services');
  return body.flatMap((item: unknown) => {
    const address = parseServiceAddress(item);
    if (address === undefined) return [];
    const facts = parseFacts(jsonMember(jsonMember(item, 'Service'), 'Meta'));
    return [{ address, alive: isAlive(jsonMember(item, 'Checks')), ...withFacts(facts) }];
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
    let piece = jsonMember(meta, `${factsKey}0`);
    typeof piece === 'string';
    piece = jsonMember(meta, `${factsKey}${pieces.length}`)
  ) {
    pieces.push(piece);
  }
  return pieces.length === 0 ? undefined : pieces.join('');
}

/** The names under `folder` in an answer of kv.get for all of it; none in the answer to a folder that does not exist. */
export function parseKeys(body: unknown, folder: string): readonly string[] {
  const pairs: unknown[] = Array.isArray(body) ? body : [];
  return pairs.flatMap((pair) => {
    const key = jsonMember(pair, 'Key');
    return typeof key === 'string' && key.startsWith(folder) ? [key.slice(folder.length)] : [];
  });
}

/** The engines that classicswarm's agents announce: each a key that Consul removes when its session ends. */
export function parseClassicNodes(body: unknown, folder: string): readonly DiscoveryEntry[] {
  return parseKeys(body, folder).flatMap((name) => {
    try {
      return [{ address: parseAddress(name), alive: true }];
    } catch {
      return [];
    }
  });
}

/** The version of the key in an answer of kv.get; undefined when there is no such key. */
export function parseModifyIndex(body: unknown): number | undefined {
  const index = jsonMember(body, 'ModifyIndex');
  return typeof index === 'number' ? index : undefined;
}

/** The texts and versions in an answer of kv.get, for one key or for many; none in that of what does not exist. */
export function parseTexts(body: unknown): ReadonlyMap<string, KeyText> {
  const pairs: readonly unknown[] = Array.isArray(body) ? body : [body];
  return new Map(
    pairs.flatMap((pair) => {
      const [key, text, version] = [jsonMember(pair, 'Key'), jsonMember(pair, 'Value'), parseModifyIndex(pair)];
      if (typeof key !== 'string' || version === undefined) return [];
      return [[key, { text: typeof text === 'string' ? text : '', version }]];
    }),
  );
}

function parseServiceAddress(item: unknown): string | undefined {
  const service = jsonMember(item, 'Service');
  const serviceHost = jsonMember(service, 'Address');
  // A service without an address of its own is at the address of its Consul node.
  const host = serviceHost === '' ? jsonMember(jsonMember(item, 'Node'), 'Address') : serviceHost;
  const port = jsonMember(service, 'Port');
  if (typeof host !== 'string' || typeof port !== 'number') return undefined;
  try {
    return parseAddress(formatHostPort({ host, port }));
  } catch {
    return undefined;
  }
}

/** True when no check is critical, the one of the Consul node among them. */
function isAlive(checks: unknown): boolean {
  return Array.isArray(checks) && checks.every((check) => jsonMember(check, 'Status') !== 'critical');
}
