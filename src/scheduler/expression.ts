// The rules users write on containers: `key operator value`, for example storage==ssd, node!=/web-[0-9]+/,
// kernelversion>=5.10, container!=~web*@zone. Patterns are RE2, so none can take more than linear time.
import { badRequest } from '../common/errors.ts';
import { comparePattern, compileText, type Pattern } from './pattern.ts';
import { MatchTime } from './regular-expression.ts';

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface Expression {
  /** As the user wrote it. */
  readonly text: string;
  readonly key: string;
  readonly operator: Operator;
  /** A preference (`~` before the value) instead of a demand. */
  readonly isSoft: boolean;
  /** Without the `~` and the zone. */
  readonly value: string;
  /** The engine label that makes up a zone (`@label` after the value of a container affinity). */
  readonly zone: string | undefined;
  /** The value is plain text, so that an index may be asked instead of `matches`. */
  readonly isLiteral: boolean;
  /** Whether `actual` is what the value describes; `!=` does not turn it round. For an ordering it is the comparison. */
  readonly matches: (actual: string) => boolean;
}

/** Whether the expression holds for something that goes by several names: `!=` means that none of them matches. */
export function holdsForAny(expression: Expression, actuals: readonly string[]): boolean {
  const isMatch = actuals.some((actual) => expression.matches(actual));
  return expression.operator === '!=' ? !isMatch : isMatch;
}

const keyPattern = /^[A-Za-z_][A-Za-z0-9_./-]*/;
/** An operator that another one begins with comes after that one. */
const allOperators: readonly Operator[] = ['==', '!=', '<=', '>=', '<', '>'];
const zonePattern = /^(.+)@([A-Za-z_][A-Za-z0-9_./-]*)$/;
const operators = '==, !=, <, <=, >, >=';

/**
 * `kind` is the word for it in messages ("constraint"); `time` is shared by the expressions of one container. Throws
 * ApiError 400 naming the position (from 1) and what was expected.
 */
export function parseExpression(kind: string, text: string, time = new MatchTime()): Expression {
  const key = keyPattern.exec(text)?.[0];
  if (key === undefined) throw syntaxError(kind, text, 0, 'a key that begins with a letter or _');
  const operator = parseOperator(text.slice(key.length));
  if (operator === undefined) throw syntaxError(kind, text, key.length, `one of the operators ${operators}`);
  const afterOperator = key.length + operator.length;
  const softMark = /^~*/.exec(text.slice(afterOperator))?.[0] ?? '';
  const valueStart = afterOperator + softMark.length;
  const { value, zone } = splitZone(kind, key, text.slice(valueStart));
  if (value === '') throw syntaxError(kind, text, valueStart, 'a value');
  const test = compileValue(operator, value, time);
  if (typeof test === 'string') throw syntaxError(kind, text, valueStart, test);
  const isSoft = softMark !== '';
  return { text, key, operator, isSoft, value, zone, isLiteral: test.isLiteral, matches: test.matches };
}

function parseOperator(text: string): Operator | undefined {
  return allOperators.find((operator) => text.startsWith(operator));
}

/** Only container affinities have zones: labels and image digests may hold an @ of their own. */
function splitZone(kind: string, key: string, value: string): { value: string; zone: string | undefined } {
  const parts = kind === 'affinity' && key === 'container' ? zonePattern.exec(value) : null;
  return { value: parts?.[1] ?? value, zone: parts?.[2] };
}

/** The test, or what was expected instead of `value`. */
function compileValue(operator: Operator, value: string, time: MatchTime): Pattern | string {
  if (operator === '==' || operator === '!=') return compileText(value, time);
  return comparePattern(operator, value);
}

const longestShown = 200;

function syntaxError(kind: string, text: string, index: number, expected: string): Error {
  const shown = text.length > longestShown ? `${text.slice(0, longestShown)}...` : text;
  return badRequest(`invalid ${kind} "${shown}" at position ${index + 1}: expected ${expected}`);
}
