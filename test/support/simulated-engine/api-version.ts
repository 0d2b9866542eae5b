// Docker API versions: numbers joined by dots, compared part by part.

/** Whether `version` is `floor` or newer. */
export function isAtLeast(version: string, floor: string): boolean {
  return compareVersions(version, floor) >= 0;
}

function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The engine release that speaks at most `apiVersion`. */
export function releaseOf(apiVersion: string): string {
  return releases.find(([version]) => isAtLeast(apiVersion, version))?.[1] ?? '19.3.15';
}

const releases = [
  ['1.52', '29.1.0'],
  ['1.51', '28.5.2'],
  ['1.48', '28.0.4'],
  ['1.47', '27.5.1'],
  ['1.45', '26.1.5'],
  ['1.44', '25.0.6'],
  ['1.43', '24.0.9'],
  ['1.42', '23.0.6'],
  ['1.41', '20.10.24'],
] as const;
