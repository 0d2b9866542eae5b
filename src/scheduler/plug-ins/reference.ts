// How a filter or a strategy that users wrote is told from a built-in one: it is named by a path or a file URL.

export function isPlugIn(reference: string): boolean {
  return /^(?:\.{0,2}\/|file:)/.test(reference);
}
