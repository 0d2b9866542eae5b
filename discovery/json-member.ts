// Looking into parsed JSON of which nothing is known.

/** The member of that name; undefined when `value` is no object or has none. */
export function jsonMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
