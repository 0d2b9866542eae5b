// Reads values of unknown shape, as request bodies hold them. Absent or differently typed values become
// the empty value of the asked type, as Go's JSON decoding makes them.

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(source: JsonObject, key: string): JsonObject {
  const value = source[key];
  return isObject(value) ? value : {};
}

export function listAt(source: JsonObject, key: string): readonly unknown[] {
  const value = source[key];
  return Array.isArray(value) ? value : [];
}

/** A single text is read as a list of one, as Docker reads `Cmd` and `Entrypoint`. */
export function textsAt(source: JsonObject, key: string): readonly string[] {
  const value = source[key];
  return typeof value === 'string' ? [value] : listAt(source, key).filter((item) => typeof item === 'string');
}

export function textAt(source: JsonObject, key: string): string {
  const value = source[key];
  return typeof value === 'string' ? value : '';
}

export function numberAt(source: JsonObject, key: string): number {
  const value = source[key];
  return typeof value === 'number' ? value : 0;
}

export function flagAt(source: JsonObject, key: string): boolean {
  return source[key] === true;
}

export function textMapAt(source: JsonObject, key: string): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(source, key));
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'string' ? value : '']));
}
