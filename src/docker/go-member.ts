// Members of JSON objects as Go's decoder finds them: the case of a key does not matter, and of two keys that
// differ only in case the later one counts. Unknown input is narrowed here, so that the rest needs no casts.
import type { WireObject } from './types.ts';

/** The value of `name` in whatever case it is written; undefined when absent or null, or when `object` is not an object. */
export function goMember(object: unknown, name: string): unknown {
  if (!isWireObject(object)) return undefined;
  const key = goKey(object, name);
  return key === undefined ? undefined : (object[key] ?? undefined);
}

/** The spelling of `name` that `object` uses; undefined when it has none. A create looks up dozens: no list of keys is made. */
function goKey(object: WireObject, name: string): string | undefined {
  let found: string | undefined;
  for (const key in object) if (key === name || isSameFolded(key, name)) found = key;
  return found;
}

function isSameFolded(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name.toLowerCase();
}

/** `object` with the member `name` replaced, keeping the spelling and the place it has. */
export function withGoMember(object: WireObject, name: string, value: unknown): WireObject {
  return { ...object, [goKey(object, name) ?? name]: value };
}

/** `object` without the member `name`, in whatever case it is written. */
export function withoutGoMember(object: WireObject, name: string): WireObject {
  const folded = name.toLowerCase();
  const isKept = (key: string): boolean => key.length !== name.length || key.toLowerCase() !== folded;
  const kept = Object.entries(object).filter(([key]) => isKept(key));
  return kept.length === Object.keys(object).length ? object : Object.fromEntries(kept);
}

/** `object` with the member `name` as `change` makes it; `object` itself when it has none, or when nothing changes. */
export function changeGoMember(object: WireObject, name: string, change: (value: unknown) => unknown): WireObject {
  const value = goMember(object, name);
  if (value === undefined) return object;
  const changed = change(value);
  return changed === value ? object : withGoMember(object, name, changed);
}

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member as text; '' when absent or something else. */
export function textMember(object: unknown, name: string): string {
  const value = goMember(object, name);
  return typeof value === 'string' ? value : '';
}

/** The member as a number; 0 when absent or something else. */
export function numberMember(object: unknown, name: string): number {
  const value = goMember(object, name);
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** The member's elements; empty when absent or not a list. */
export function listMember(object: unknown, name: string): readonly unknown[] {
  const value = goMember(object, name);
  return Array.isArray(value) ? value : [];
}

/** The member's elements that are texts. */
export function textListMember(object: unknown, name: string): readonly string[] {
  return listMember(object, name).filter((item) => typeof item === 'string');
}

/** The member's own keys and values; empty when absent or not an object. The keys of a map keep their case in Go too. */
export function mapMember(object: unknown, name: string): WireObject {
  const value = goMember(object, name);
  return isWireObject(value) ? value : {};
}

/** The member's entries whose values are texts, as labels are. */
export function textMapMember(object: unknown, name: string): Readonly<Record<string, string>> {
  const entries = Object.entries(mapMember(object, name));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
