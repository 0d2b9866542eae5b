// API versions, "major.minor", and the window that the manager advertises. The window is fixed: clients
// negotiate once, so it must not move when engines come and go.

/** The oldest version that is served. */
export const minApiVersion = '1.24';
/** The newest version that is served. */
export const maxApiVersion = '1.51';

export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

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

/** undefined when `text` is not two numbers with a dot between them. */
export function parseApiVersion(text: string): ApiVersion | undefined {
  const parts = /^(\d{1,6})\.(\d{1,6})$/.exec(text);
  return parts === null ? undefined : { major: Number(parts[1]), minor: Number(parts[2]) };
}

/** Below 0, 0 or above 0, as a sort wants it; what is not a version counts as 0.0. */
export function compareApiVersion(a: string, b: string): number {
  const left = parseApiVersion(a) ?? zero;
  const right = parseApiVersion(b) ?? zero;
  return left.major - right.major || left.minor - right.minor;
}

const zero: ApiVersion = { major: 0, minor: 0 };
