// Events as the lines of JSON that they travel in. Their `timeNano` has more digits than a number keeps, so the digits
// are taken from the text and put back as they came: clients resume at, and compare by, the exact moment.
import { isWireObject } from './go-member.ts';
import type { DockerEvent } from './types.ts';

/** undefined for JSON that is no event. Throws on text that is not JSON. */
export function parseEventLine(line: string): DockerEvent | undefined {
  const value: unknown = JSON.parse(line);
  if (!isWireObject(value) || typeof value['Type'] !== 'string' || typeof value['Action'] !== 'string')
    return undefined;
  const { Actor: actor, timeNano } = value;
  if (!isWireObject(actor) || typeof actor['ID'] !== 'string' || typeof timeNano !== 'number') return undefined;
  return { ...(value as unknown as DockerEvent), timeNanoDigits: digitsOf(line) ?? String(timeNano) };
}

/** The event with line end, as API versions before 1.52 write it: with `status`, `id` and `from` at its top. */
export function eventLine(event: DockerEvent): string {
  const { timeNanoDigits, timeNano, ...rest } = event;
  const text = JSON.stringify({ ...legacyFields(event), ...rest });
  return `${text.slice(0, -1)},"timeNano":${timeNanoDigits ?? String(timeNano)}}\n`;
}

/** From the time when only containers and images had events; those of other types have never had these fields. */
function legacyFields({ Type, Action, Actor }: DockerEvent): object {
  if (Type !== 'container' && Type !== 'image') return {};
  const image = Type === 'container' ? Actor.Attributes?.['image'] : undefined;
  return { status: Action, id: Actor.ID, ...(image === undefined ? {} : { from: image }) };
}

/** Attributes hold text only and quotes within text are escaped, so a bare number can only be the event's own. */
function digitsOf(line: string): string | undefined {
  return /"timeNano":\s*(\d+)/.exec(line)?.[1];
}
