// HTTP heads as they travel: a flat list name, value, name, value in the order and spelling of the wire.
// Repeated headers stay repeated, because some peers give each line a meaning of its own.

export type RawHeaders = readonly string[];

/** Headers to set or replace, by name in any spelling; undefined removes, a list writes one line an entry. */
export type HeaderChanges = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: RawHeaders;
}

export interface ResponseHead {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly rawHeaders: RawHeaders;
}

export function formatRequestHead({ method, path, rawHeaders }: RequestHead): Buffer {
  return formatHead(`${method} ${path} HTTP/1.1`, rawHeaders);
}

export function formatResponseHead({ statusCode, statusMessage, rawHeaders }: ResponseHead): Buffer {
  return formatHead(`HTTP/1.1 ${statusCode} ${statusMessage}`, rawHeaders);
}

/** The value of the first line called `name`, in any spelling. */
export function headerValue(rawHeaders: RawHeaders, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headerPairs(rawHeaders).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

/** Changed headers keep the place of their first line; new ones come last. */
export function changeHeaders(rawHeaders: RawHeaders, changes: HeaderChanges): RawHeaders {
  const pending = new Map(Object.entries(changes).map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const changed = new Set(pending.keys());
  const kept = headerPairs(rawHeaders).flatMap(([name, value]) => {
    const key = name.toLowerCase();
    if (!changed.has(key)) return [name, value];
    const change = pending.get(key);
    pending.delete(key);
    return change === undefined ? [] : headerLines(change.name, change.value);
  });
  return [...kept, ...[...pending.values()].flatMap(({ name, value }) => headerLines(name, value))];
}

/** As an object, which is the shape that Node and http-proxy send: a repeated header is a list in the spelling of its first line. */
export function groupHeaders(rawHeaders: RawHeaders): Record<string, string | string[]> {
  const groups = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const [name, value] of headerPairs(rawHeaders)) {
    const group = groups.get(name.toLowerCase());
    if (group === undefined) groups.set(name.toLowerCase(), { name, values: [value] });
    else group.values.push(value);
  }
  return Object.fromEntries([...groups.values()].map(({ name, values }) => [name, onlyOrAll(values)]));
}

function formatHead(startLine: string, rawHeaders: RawHeaders): Buffer {
  const lines = headerPairs(rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${startLine}\r\n${lines.join('')}\r\n`, 'latin1');
}

function headerPairs(rawHeaders: RawHeaders): (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  return pairs;
}

function headerLines(name: string, value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [name, value] : value.flatMap((entry) => [name, entry]);
}

function onlyOrAll(values: string[]): string | string[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}
