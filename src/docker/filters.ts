// The `filters` argument of list, prune and event calls: parsed from both of its JSON forms, and the ways in
// which the engine compares a value with an object.
import { RE2JS, RE2JSException } from 're2js';
import { badRequest } from '../common/errors.ts';

/** Filter keys with the values given for each. A key that was given has at least one value, unless its list was empty. */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: Iterable<readonly [string, readonly string[]]> = []) {
    this.#values = new Map(values);
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** The values of `key`, empty when it was not given. */
  get(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** Whether `key` was given with at least one value. */
  has(key: string): boolean {
    return this.get(key).length > 0;
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }

  without(key: string): Filters {
    return new Filters([...this.#values].filter(([other]) => other !== key));
  }

  with(key: string, values: readonly string[]): Filters {
    return new Filters([...this.#values, [key, values] as const]);
  }

  /** The map form, which every engine since API 1.22 reads. */
  toJson(): string {
    const entries = [...this.#values].map(([key, values]) => [key, toTrueMap(values)] as const);
    return JSON.stringify(Object.fromEntries(entries));
  }
}

/** `{"k":["v"]}` or `{"k":{"v":true}}`; absent or empty text means no filters. Throws ApiError 400 when it is neither. */
export function parseFilters(text: string | null | undefined): Filters {
  if (text === null || text === undefined || text.trim() === '') return new Filters();
  const parsed = parseJson(text);
  if (parsed === null) return new Filters();
  if (!isObject(parsed)) throw malformed();
  return new Filters(Object.entries(parsed).map(([key, value]) => [key, parseValues(value)] as const));
}

/** Throws the engine's 400 for the first key that is not in `accepted`. */
export function assertKnownFilters(filters: Filters, accepted: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!accepted.includes(key)) throw badRequest(`invalid filter '${key}'`);
  }
}

/**
 * The value of a yes-or-no filter; undefined when it was not given. Throws ApiError 400, with the words of `refusal` where
 * they are given, for other or contradicting values.
 */
export function booleanFilter(filters: Filters, key: string, refusal?: string): boolean | undefined {
  const values = filters.get(key);
  if (values.length === 0) return undefined;
  const isTrue = values.some((value) => value === '1' || value === 'true');
  const isFalse = values.some((value) => value === '0' || value === 'false');
  if (isTrue === isFalse) throw badRequest(refusal ?? `invalid filter '${key}=[${values.join(' ')}]'`);
  return isTrue;
}

/** Equal to one of the values; true when `key` was not given. */
export function matchesExactly(filters: Filters, key: string, actual: string): boolean {
  const values = filters.get(key);
  return values.length === 0 || values.includes(actual);
}

/** Begins with one of the values; true when `key` was not given. */
export function matchesPrefix(filters: Filters, key: string, actual: string): boolean {
  const values = filters.get(key);
  return values.length === 0 || values.some((value) => actual.startsWith(value));
}

/** Equal to one of the values, or found by one of them as a regular expression; true when `key` was not given. */
export function matchesPattern(filters: Filters, key: string, actual: string): boolean {
  return patternFilter(filters, key)(actual);
}

/** `matchesPattern` compiled once for a long list. A value that is no regular expression is compared as text only. */
export function patternFilter(filters: Filters, key: string): (actual: string) => boolean {
  const values = filters.get(key);
  if (values.length === 0) return () => true;
  const patterns = values.flatMap((value) => literalPattern(value) ?? compile(value) ?? []);
  return (actual) => values.includes(actual) || patterns.some((matches) => matches(actual));
}

/** Every `label` value (`k` or `k=v`) holds, and not all of the `label!` values do; true when neither was given. */
export function matchLabels(labels: Readonly<Record<string, string>> | null | undefined, filters: Filters): boolean {
  return labelFilter(filters)(labels);
}

/** `matchLabels` prepared once for a long list. */
export function labelFilter(
  filters: Filters,
): (labels: Readonly<Record<string, string>> | null | undefined) => boolean {
  const wanted = filters.get('label').map(toLabelTest);
  const unwanted = filters.get('label!').map(toLabelTest);
  return (labels) => {
    const present = labels ?? noLabels;
    if (unwanted.length > 0 && unwanted.every((holds) => holds(present))) return false;
    return wanted.every((holds) => holds(present));
  };
}

/** `wanted` is `key` or `key=value`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  return toLabelTest(wanted)(labels);
}

const noLabels: Readonly<Record<string, string>> = {};

function toLabelTest(wanted: string): (labels: Readonly<Record<string, string>>) => boolean {
  const equals = wanted.indexOf('=');
  if (equals === -1) return (labels) => Object.hasOwn(labels, wanted);
  const [key, value] = [wanted.slice(0, equals), wanted.slice(equals + 1)];
  return (labels) => labels[key] === value && Object.hasOwn(labels, key);
}

function toTrueMap(values: readonly string[]): Record<string, true> {
  return Object.fromEntries(values.map((value) => [value, true] as const));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed();
  }
}

function parseValues(value: unknown): readonly string[] {
  if (value === null) return [];
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return [...new Set(items.map((item) => parseValue(item)))];
  }
  if (!isObject(value)) throw malformed();
  for (const flag of Object.values(value)) if (typeof flag !== 'boolean') throw malformed();
  return Object.keys(value);
}

function parseValue(item: unknown): string {
  if (typeof item !== 'string') throw malformed();
  return item;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): Error {
  return badRequest('invalid filter');
}

/** The patterns that nearly everyone writes ("web", "^/web$") without a regular expression, which costs much more. */
function literalPattern(value: string): ((actual: string) => boolean) | undefined {
  const parts = literalParts(value);
  if (parts === undefined) return undefined;
  const { isFromStart, text, isToEnd } = parts;
  if (!isFromStart && !isToEnd) return (actual) => actual.includes(text);
  if (!isToEnd) return (actual) => actual.startsWith(text);
  if (!isFromStart) return (actual) => actual.endsWith(text);
  return (actual) => actual === text;
}

interface LiteralParts {
  readonly isFromStart: boolean;
  readonly text: string;
  readonly isToEnd: boolean;
}

function literalParts(value: string): LiteralParts | undefined {
  const [, start, text, end] = /^(\^?)([\w/:@ -]*)(\$?)$/.exec(value) ?? [];
  return text === undefined ? undefined : { isFromStart: start !== '', text, isToEnd: end !== '' };
}

/** A text that is part of everything `patternFilter` accepts for this value; '' when nothing is known. */
export function patternText(value: string): string {
  return literalParts(value)?.text ?? '';
}

function compile(value: string): ((actual: string) => boolean) | undefined {
  try {
    const pattern = RE2JS.compile(value);
    return (actual) => pattern.matcher(actual).find();
  } catch (error) {
    if (error instanceof RE2JSException) return undefined;
    throw error;
  }
}
