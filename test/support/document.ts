// Reading JSON of unknown shape in tests: what is not there is undefined, what has the wrong type fails the test.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';

/** Undefined where the path leaves the document. */
export function field(document: unknown, ...path: readonly (string | number)[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([name]) => name === String(key))?.[1];
  }
  return value;
}

export function text(document: unknown, ...path: readonly (string | number)[]): string {
  const value = field(document, ...path);
  assert.ok(typeof value === 'string', `${path.join('.')} is no text: ${shown(value)} in ${shown(document)}`);
  return value;
}

export function elements(document: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = field(document, ...path);
  assert.ok(Array.isArray(value), `${path.join('.')} is no list: ${shown(value)} in ${shown(document)}`);
  return value as unknown[];
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4 }).slice(0, 300);
}
