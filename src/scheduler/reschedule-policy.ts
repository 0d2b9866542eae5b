// When a container may be made anew on another node. Only its own word counts: without one it stays where it is.
import { badRequest } from '../common/errors.ts';
import { rulesOf } from './rules.ts';

export interface ReschedulePolicy {
  readonly onNodeFailure: boolean;
  readonly onDrain: boolean;
  /** It may be made anew without the data that lies on its node. */
  readonly dataIsDiscardable: boolean;
}

const stays: ReschedulePolicy = { onNodeFailure: false, onDrain: false, dataIsDiscardable: false };

const moves = ['on-node-failure', 'on-drain'];
const refusals = ['off', 'never'];

/** What the labels of a container say; one whose labels cannot be understood stays. */
export function reschedulePolicyOf(labels: Readonly<Record<string, string>>): ReschedulePolicy {
  try {
    const { reschedule, data } = rulesOf({ Labels: labels });
    return parsePolicy(reschedule, data);
  } catch {
    return stays;
  }
}

/** Throws ApiError 400 for words that are none, and for ones that contradict each other. */
export function parsePolicy(reschedule: readonly string[], data: readonly string[]): ReschedulePolicy {
  const words = reschedule.flatMap((text) => text.split(','));
  const unknown = words.find((word) => !moves.includes(word) && !refusals.includes(word));
  if (unknown !== undefined) {
    const accepted = [...refusals, ...moves].join(' or ');
    throw badRequest(`invalid reschedule policy: ${unknown}, expected ${accepted}`);
  }
  if (words.length > 1 && words.some((word) => refusals.includes(word)))
    throw badRequest('too many reschedule policies');
  const unknownData = data.find((word) => word !== 'discardable');
  if (unknownData !== undefined) throw badRequest(`invalid data "${unknownData}": expected discardable`);
  return {
    onNodeFailure: words.includes('on-node-failure'),
    onDrain: words.includes('on-drain'),
    dataIsDiscardable: data.length > 0,
  };
}
