// Shell patterns as the engine's `reference` filter has them: Go's path.Match.
import { RE2JS } from 're2js';

/**
 * Whether all of `text` matches `pattern`: `*` and `?` do not cross a slash, `[a-z]` and `[^a-z]` are classes,
 * a backslash takes the next character as it is. undefined when the pattern is malformed.
 */
export function pathMatches(pattern: string, text: string): boolean | undefined {
  const compiled = compilePathPattern(pattern);
  return compiled?.(text);
}

/** `pathMatches` for many texts. */
export function compilePathPattern(pattern: string): ((text: string) => boolean) | undefined {
  const source = toExpression(pattern);
  if (source === undefined) return undefined;
  try {
    const expression = RE2JS.compile(source, RE2JS.DOTALL);
    return (text) => expression.matcher(text).matches();
  } catch {
    return undefined;
  }
}

function toExpression(pattern: string): string | undefined {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end === -1) return undefined;
      source += `[${pattern.slice(at + 1, end).replaceAll('[', '\\[')}]`;
      at = end;
    } else if (char === '\\') {
      at += 1;
      if (at === pattern.length) return undefined;
      source += RE2JS.quote(pattern.charAt(at));
    } else source += RE2JS.quote(char);
  }
  return source;
}
