// Query parameters as Docker reads them.
import { badRequest } from '../../../src/common/errors.ts';

/** "", "0", "no", "false" and "none" are false; an absent parameter is `absent`. */
export function flag(query: URLSearchParams, key: string, absent = false): boolean {
  const value = query.get(key);
  if (value === null) return absent;
  return !['', '0', 'no', 'false', 'none'].includes(value.trim().toLowerCase());
}

/** Undefined for an absent or empty parameter. */
export function wholeNumber(query: URLSearchParams, key: string): number | undefined {
  const value = query.get(key) ?? '';
  if (value === '') return undefined;
  const number = Number(value);
  if (!Number.isInteger(number)) throw badRequest(`strconv.Atoi: parsing "${value}": invalid syntax`);
  return number;
}

/** `fallback` for an absent or empty parameter. */
export function text(query: URLSearchParams, key: string, fallback: string): string {
  const value = query.get(key) ?? '';
  return value === '' ? fallback : value;
}
