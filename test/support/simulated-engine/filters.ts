// Docker's `filters` query parameter, in both forms that clients send, and its ways to compare.
import { ApiError, badRequest } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import { isObject } from './json.ts';

/** Filter values by key; a key without values is not there. */
export type Filters = ReadonlyMap<string, readonly string[]>;

export interface FilterRules {
  readonly apiVersion: string;
  /** Any other key is refused; absence means that every key is taken. */
  readonly accepted?: readonly string[];
}

export function parseFilters(text: string | null, { apiVersion, accepted }: FilterRules): Filters {
  if (text === null || text === '') return new Map();
  const parsed = parseJson(text, apiVersion);
  const filters = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(parsed)) {
    if (accepted && !accepted.includes(key)) throw badRequest(unknownFilter(key, apiVersion));
    const values = valuesOf(value);
    if (values.length > 0) filters.set(key, values);
  }
  return filters;
}

/** True when the filter has no such key, or when one of its values satisfies `matches`. */
export function passes(filters: Filters, key: string, matches: (value: string) => boolean): boolean {
  return filters.get(key)?.some(matches) ?? true;
}

/** Every `k` or `k=v` of `key` must be among the labels. */
export function passesLabels(filters: Filters, labels: Readonly<Record<string, string>>, key = 'label'): boolean {
  return filters.get(key)?.every((expression) => hasLabel(labels, expression)) ?? true;
}

/** `label!`: none of the given labels may be there. */
export function passesNegatedLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  return !(filters.get('label!')?.some((expression) => hasLabel(labels, expression)) ?? false);
}

/** Exact, or found as a regular expression. */
export function matchesName(name: string, value: string): boolean {
  if (name === value) return true;
  try {
    return new RegExp(value).test(name);
  } catch {
    return false;
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, expression: string): boolean {
  const equals = expression.indexOf('=');
  if (equals === -1) return Object.hasOwn(labels, expression);
  return labels[expression.slice(0, equals)] === expression.slice(equals + 1);
}

function valuesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string');
  return isObject(value) ? Object.keys(value).filter((key) => value[key] === true) : [];
}

function parseJson(text: string, apiVersion: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  throw new ApiError(isAtLeast(apiVersion, '1.42') ? 400 : 500, `invalid filter: '${text}'`);
}

function unknownFilter(key: string, apiVersion: string): string {
  return isAtLeast(apiVersion, '1.42') ? `invalid filter '${key}'` : `Invalid filter '${key}'`;
}
