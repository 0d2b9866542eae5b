// When a lease ends, for its holder and for everybody else. Pure: no two managers' clocks are ever compared; each counts
// from a moment of its own that lies on the safe side. The holder counts from before it asked, the others from when they
// have seen what it wrote.

/** What the primary writes, again and again. */
export interface LeaderRecord {
  /** One process, by a number that it has drawn. */
  readonly holder: string;
  /** HOST:PORT where other managers reach it. */
  readonly address: string;
  readonly term: number;
  readonly leaseMs: number;
  /** Another one with each writing: a store takes the same text for no change, and the others would not see the renewal. */
  readonly beat: number;
  /** It has handed over: anybody may take it at once. */
  readonly isReleased: boolean;
}

export interface Sighting {
  readonly record: LeaderRecord;
  /** When this very writing was first seen. */
  readonly atMs: number;
}

/** The moment from which a holder that asked at `sentAtMs`, and was answered, must not write any more. */
export function leaseEndMs(sentAtMs: number, leaseMs: number): number {
  return sentAtMs + leaseMs;
}

/**
 * The moment from which another may take the lease, provided that nothing new was written since. Clocks of two machines
 * differ by far less than a tenth, and what the holder sent in its last moment has arrived by then.
 */
export function freeFromMs({ record, atMs }: Sighting): number {
  return record.isReleased ? -Infinity : atMs + record.leaseMs * 1.1 + 200;
}

/** Between two renewals; three in a row may fail. */
export function renewalMs(leaseMs: number): number {
  return leaseMs / 4;
}

/** A dead primary is replaced within the time to live: half of it is the lease, the rest is for noticing and taking over. */
export function leaseOf(ttlMs: number): number {
  return ttlMs / 2;
}

export function formatRecord(record: LeaderRecord): string {
  return JSON.stringify(record);
}

/** Undefined for a text that no manager wrote. */
export function parseRecord(text: string): LeaderRecord | undefined {
  const { holder, address, term, leaseMs, beat, isReleased } = fieldsOf(text);
  if (typeof holder !== 'string' || typeof address !== 'string') return undefined;
  if (typeof term !== 'number' || !Number.isSafeInteger(term)) return undefined;
  if (typeof leaseMs !== 'number' || !(leaseMs > 0)) return undefined;
  if (typeof beat !== 'number') return undefined;
  return { holder, address, term, leaseMs, beat, isReleased: isReleased === true };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
