// One create that an engine is about to hear of: by what its container will be known, and what nobody else may have
// until it is certain what became of it. Many of them are one text of the store.
import { goMember, isWireObject, textMember } from '../../docker/go-member.ts';

export interface CreateIntent {
  readonly swarmId: string;
  /** That of the generation label; '' for a container that takes no other one's place. */
  readonly generation: string;
  /** Without the leading slash; '' where the engine makes one up. */
  readonly name: string;
  /** By which its client may repeat the create; '' for none. */
  readonly key: string;
  /** Of the engine. */
  readonly address: string;
}

export function formatIntents(intents: Iterable<CreateIntent>): string {
  return JSON.stringify([...intents]);
}

/** Empty for a text that is none of ours. */
export function parseIntents(text: string): readonly CreateIntent[] {
  const list: readonly unknown[] = parseList(text);
  return list.filter(isWireObject).flatMap((one) => {
    const swarmId = textMember(one, 'swarmId');
    if (swarmId === '' || goMember(one, 'address') === undefined) return [];
    const [generation, name, key] = [textMember(one, 'generation'), textMember(one, 'name'), textMember(one, 'key')];
    return [{ swarmId, generation, name, key, address: textMember(one, 'address') }];
  });
}

function parseList(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
