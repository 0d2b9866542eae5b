// Sizes and time spans for people, worded exactly as Docker words them.

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'] as const;
const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'] as const;

/** Powers of 1024, four digits: "1.5GiB". */
export function formatBytes(bytes: number): string {
  return formatSize(bytes, 1024, binaryUnits);
}

/** Powers of 1000, four digits: "1.5GB", as image sizes are shown. */
export function formatDecimalBytes(bytes: number): string {
  return formatSize(bytes, 1000, decimalUnits);
}

/** "About a minute", "3 hours", "2 weeks": how Docker rounds a span for `Up ...` and `... ago`. */
export function formatSpan(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(ms / 60_000);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  return formatHours(ms / 3_600_000);
}

/** The shortest longer span that `formatSpan` may word in another way. */
export function nextSpanMs(ms: number): number {
  if (ms < 1000) return 1000;
  // Hours are rounded and years cut off, so that half an hour may make a difference.
  const step = ms < 60_000 ? 1000 : ms < 3_600_000 ? 60_000 : 1_800_000;
  return (Math.floor(ms / step) + 1) * step;
}

function formatHours(exactHours: number): string {
  const hours = Math.trunc(exactHours + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 7 * 2) return `${days} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(days / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(days / 30)} months`;
  return `${Math.trunc(Math.trunc(exactHours) / 24 / 365)} years`;
}

function formatSize(bytes: number, base: number, units: readonly string[]): string {
  let size = bytes;
  let unit = 0;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${units[unit] ?? ''}`;
}
