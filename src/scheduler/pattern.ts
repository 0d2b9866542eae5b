// How the value of an expression is compared: plain text, a glob (`*` alone is special), /a regular
// expression/ of the RE2 dialect that may match anywhere, or a number or version for < <= > >=.
import { compileRegExp, type MatchTime } from './regular-expression.ts';

export interface Pattern {
  /** Plain text without a pattern in it. */
  readonly isLiteral: boolean;
  readonly matches: (actual: string) => boolean;
}

/** The pattern, or what was expected instead of `value`. */
export function compileText(value: string, time: MatchTime): Pattern | string {
  if (value.length > 1 && value.startsWith('/') && value.endsWith('/')) {
    const matches = compileRegExp(value.slice(1, -1), time);
    return typeof matches === 'string' ? matches : { isLiteral: false, matches };
  }
  if (!value.includes('*')) return { isLiteral: true, matches: (actual) => actual === value };
  return { isLiteral: false, matches: compileGlob(value) };
}

/** Taking each text between two stars at its first place leaves the most room for the next. */
function compileGlob(glob: string): (actual: string) => boolean {
  const parts = glob.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  return (actual) => {
    if (!actual.startsWith(first) || !actual.endsWith(last)) return false;
    const end = actual.length - last.length;
    let position = first.length;
    for (const part of middle) {
      const found = actual.indexOf(part, position);
      if (found === -1) return false;
      position = found + part.length;
    }
    return position <= end;
  };
}

/** Components compare as numbers from the left, so 5.10 is above 5.4; what follows the digits and dots is not looked at, but a value must not be read as less than it is, as 1e5 would be. */
export function comparePattern(operator: '<' | '<=' | '>' | '>=', value: string): Pattern | string {
  const wanted = parseVersion(value);
  if (wanted === undefined || !/^v?\d+(?:\.\d+)*(?:$|[-+~_ ])/.test(value)) return 'a number or a version';
  return {
    isLiteral: false,
    matches: (actual) => {
      const found = parseVersion(actual);
      return found !== undefined && isOrdered(operator, compareVersions(found, wanted));
    },
  };
}

function parseVersion(text: string): readonly number[] | undefined {
  const digits = /^v?(\d+(?:\.\d+)*)/.exec(text)?.[1];
  return digits?.split('.').map(Number);
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isOrdered(operator: '<' | '<=' | '>' | '>=', difference: number): boolean {
  switch (operator) {
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
  }
}
