// Booleans of query arguments, as the engine reads them: a short list of words is false, all else is true.

const falseWords: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none']);

/** An absent argument (null or undefined) is false; arguments whose default is true are to be looked for first. */
export function parseGoBool(text: string | null | undefined): boolean {
  return text !== null && text !== undefined && !falseWords.has(text.trim().toLowerCase());
}
