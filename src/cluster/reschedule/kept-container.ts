// What must be known of a container that may be made anew elsewhere, when its node can no longer be asked: how to
// create it, which copy is the current one, and which older copies are still to be put away. Immutable; one document
// of the store each.
import {
  goMember,
  isWireObject,
  listMember,
  numberMember,
  textListMember,
  textMember,
} from '../../docker/go-member.ts';
import type { CreateBody } from '../../docker/types.ts';

/** Known by its id, or by its address where the id is not known any more. */
export interface NodeReference {
  readonly id: string;
  readonly name: string;
  readonly address: string;
}

export interface FormerCopy {
  readonly containerId: string;
  readonly node: NodeReference;
}

export type MoveReason = 'node failure' | 'drain';

export interface MovePlan {
  readonly reason: MoveReason;
  /** Of the copy to be made; by it the copy is recognised after a crash. */
  readonly generation: number;
}

export interface KeptContainer {
  /** The same for every copy. */
  readonly swarmId: string;
  readonly name: string;
  /** The current copy; '' when it was removed and older copies are still to be put away. */
  readonly containerId: string;
  readonly node: NodeReference;
  readonly generation: number;
  readonly body: CreateBody;
  /** API version in whose words the body is written. */
  readonly version: string;
  readonly isActive: boolean;
  /** When it was seen to have ended; undefined while it is active, and where that was not seen. */
  readonly endedAtMs: number | undefined;
  /** Volumes of its node that it uses; anonymous ones too. */
  readonly localVolumes: readonly string[];
  /** What it would lose elsewhere, for people; empty where that may be lost. */
  readonly localData: readonly string[];
  readonly onNodeFailure: boolean;
  readonly onDrain: boolean;
  readonly former: readonly FormerCopy[];
  readonly plan: MovePlan | undefined;
}

export function formatKept(kept: KeptContainer): string {
  return JSON.stringify(kept);
}

/** undefined for a text that is no such document. */
export function parseKept(text: string): KeptContainer | undefined {
  const value = parseJson(text);
  const body = goMember(value, 'body');
  const swarmId = textMember(value, 'swarmId');
  if (swarmId === '' || !isWireObject(body)) return undefined;
  return {
    swarmId,
    body,
    name: textMember(value, 'name'),
    containerId: textMember(value, 'containerId'),
    node: parseNode(goMember(value, 'node')),
    generation: numberMember(value, 'generation'),
    version: textMember(value, 'version'),
    isActive: goMember(value, 'isActive') === true,
    endedAtMs: numberMember(value, 'endedAtMs') || undefined,
    localVolumes: textListMember(value, 'localVolumes'),
    localData: textListMember(value, 'localData'),
    onNodeFailure: goMember(value, 'onNodeFailure') === true,
    onDrain: goMember(value, 'onDrain') === true,
    former: listMember(value, 'former').map((copy) => ({
      containerId: textMember(copy, 'containerId'),
      node: parseNode(goMember(copy, 'node')),
    })),
    plan: parsePlan(goMember(value, 'plan')),
  };
}

function parseNode(value: unknown): NodeReference {
  return { id: textMember(value, 'id'), name: textMember(value, 'name'), address: textMember(value, 'address') };
}

function parsePlan(value: unknown): MovePlan | undefined {
  if (!isWireObject(value)) return undefined;
  const reason = textMember(value, 'reason') === 'drain' ? 'drain' : 'node failure';
  return { reason, generation: numberMember(value, 'generation') };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
