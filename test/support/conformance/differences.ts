// Where two answers differ, each place by a path: "status", "headers/server", "body/[]/Names". The values are for the
// reader of a failed test; places alone decide.
import type { ReadAnswer } from './read-answer.ts';

export interface Difference {
  readonly at: string;
  readonly engine: string;
  readonly manager: string;
}

export function differencesBetween(engine: ReadAnswer, manager: ReadAnswer): Difference[] {
  return found(engine, manager, '');
}

/** Compares status, type of content, framing, and what kind of document the body is; not its fields. */
export function shapeDifferences(engine: ReadAnswer, manager: ReadAnswer): Difference[] {
  return found(shapeOfAnswer(engine), shapeOfAnswer(manager), '');
}

function found(engine: unknown, manager: unknown, at: string): Difference[] {
  if (Array.isArray(engine) && Array.isArray(manager)) return inLists(engine, manager, at);
  if (isObject(engine) && isObject(manager)) {
    const keys = new Set([...Object.keys(engine), ...Object.keys(manager)]);
    return [...keys].flatMap((key) => found(engine[key], manager[key], at === '' ? key : `${at}/${key}`));
  }
  return JSON.stringify(engine) === JSON.stringify(manager) ? [] : [difference(engine, manager, at)];
}

function inLists(engine: readonly unknown[], manager: readonly unknown[], at: string): Difference[] {
  const isOfObjects = [...engine, ...manager].every(isObject);
  if (!isOfObjects) return JSON.stringify(engine) === JSON.stringify(manager) ? [] : [difference(engine, manager, at)];
  if (engine.length !== manager.length) return [difference(engine, manager, `${at}/length`)];
  return engine.flatMap((element, index) => found(element, manager[index], `${at}/[]`));
}

function difference(engine: unknown, manager: unknown, at: string): Difference {
  return { at, engine: shown(engine), manager: shown(manager) };
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 500);
}

function shapeOfAnswer({ status, headers, framing, body }: ReadAnswer): unknown {
  return { status, framing, headers: { 'content-type': headers['content-type'] }, body: shape(body) };
}

/** Of a raw stream, whether frames of one output hold the other is chance. */
function shape(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return isObject(value) && !('stream 1' in value) ? 'object' : 'text';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
