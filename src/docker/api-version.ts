// API versions, "1.41", and the window that the manager advertises. The window is fixed: clients
// negotiate once, so it must not move when engines come and go.

/** The oldest version that is served. */
export const minApiVersion = '1.24';
/** The newest version that is served. */
export const maxApiVersion = '1.51';

/** The versions that an engine speaks. */
export interface ApiWindow {
  readonly min: string;
  readonly max: string;
}

/** The version at which a call of `clientVersion` runs on an engine: the client's own where the engine speaks it. */
export function effectiveVersion(clientVersion: string, { min, max }: ApiWindow): string {
  if (compareApiVersion(clientVersion, max) > 0) return max;
  return compareApiVersion(clientVersion, min) < 0 ? min : clientVersion;
}

/** Below 0, 0 or above 0, as a sort wants it. As engines do: part by part as numbers, where what is no number counts as 0. */
export function compareApiVersion(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [versionParts(a), versionParts(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionParts(text: string): number[] {
  return text.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : 0));
}
