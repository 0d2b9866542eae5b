// How engines stand in a store of keys: classicswarm's key for each, which is there while somebody vouches for the engine,
// and beside it a record that outlives it. Only a record that says "withdrawn" takes an engine away.
import type { DiscoveryEntry } from './backend.ts';
import { parseAddress, withFacts } from './entry.ts';
import { jsonMember } from './json-member.ts';
import type { StoreView } from './store-view.ts';

/** The folder of the records that belong to a folder of classicswarm's keys. */
export function recordsFolder(nodesFolder: string): string {
  return `${nodesFolder}-members`;
}

export const withdrawnRecord = '{"withdrawn":true}';

export function formatRecord(facts: string | undefined): string {
  return JSON.stringify(withFacts(facts));
}

/** The view of a store that has these names among classicswarm's keys, and these records by name. */
export function viewOfKeys(live: ReadonlySet<string>, records: ReadonlyMap<string, string>): StoreView {
  const withdrawn = new Set<string>();
  const announced: DiscoveryEntry[] = [];
  for (const name of new Set([...live, ...records.keys()])) {
    const address = addressOf(name);
    if (address === undefined) continue;
    const record = parseRecord(records.get(name));
    if (record.isWithdrawn) withdrawn.add(address);
    else announced.push({ address, alive: live.has(name), ...withFacts(record.facts) });
  }
  return { announced, withdrawn };
}

/** One that cannot be understood says that the engine is announced, and nothing else. */
function parseRecord(text = ''): { readonly isWithdrawn: boolean; readonly facts: string | undefined } {
  const record = parseJson(text);
  const facts = jsonMember(record, 'facts');
  return {
    isWithdrawn: jsonMember(record, 'withdrawn') === true,
    facts: typeof facts === 'string' ? facts : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function addressOf(name: string): string | undefined {
  try {
    return parseAddress(name);
  } catch {
    return undefined;
  }
}
