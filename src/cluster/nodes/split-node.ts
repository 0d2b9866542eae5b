// `node/name`, the way in which an object of one node is written.
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from './identity.ts';

/** The engine and the rest when `reference` begins with the name of a member; else the whole as the name. */
export function splitNode(
  identities: Identities,
  reference: string,
): { readonly engine: Engine | undefined; readonly name: string } {
  const slash = reference.indexOf('/');
  const engine = slash <= 0 ? undefined : identities.find(reference.slice(0, slash));
  return engine === undefined ? { engine, name: reference } : { engine, name: reference.slice(slash + 1) };
}
