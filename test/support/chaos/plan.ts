// What is to happen in a chaos run: faults, and the choices of its clients. Decided by the seed alone before anything
// runs, so that a seed that failed is played again as it was.
import { SeededRandom } from '../seeded-random.ts';

export const managerNames = ['manager-1', 'manager-2', 'manager-3'] as const;
export const storeNames = ['store-1', 'store-2', 'store-3'] as const;
export const nodeNames = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'] as const;
const everybody: readonly string[] = [...managerNames, ...storeNames, ...nodeNames];

export interface Fault {
  /** Since the begin of the run. */
  readonly atMs: number;
  /** Until it is healed; a restart ends by itself. */
  readonly forMs: number;
  readonly kind: FaultKind;
  /** The machine. */
  readonly target: string;
  /** Of a partition: the machines to and from which no packet passes. */
  readonly against: readonly string[];
  /** Of a partition: which packets of the target are lost. */
  readonly lost: 'both' | 'sent' | 'received';
}

export type FaultKind = (typeof faultKinds)[number]['kind'];

interface KindOfFault {
  readonly kind: string;
  readonly family: Family;
  /** How often, beside the others. */
  readonly weight: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

interface Family {
  readonly members: readonly string[];
  /** So many of them may be in trouble at once. */
  readonly most: number;
}

/** A cluster may be asked to serve while it has a quorum of its store, a manager and three engines in five. */
const managers: Family = { members: managerNames, most: 1 };
const stores: Family = { members: storeNames, most: 1 };
const nodes: Family = { members: nodeNames, most: 2 };

const faultKinds = [
  { kind: 'kill-manager', family: managers, weight: 4, leastMs: 1_000, mostMs: 15_000 },
  { kind: 'pause-manager', family: managers, weight: 4, leastMs: 2_000, mostMs: 20_000 },
  { kind: 'restart-manager', family: managers, weight: 2, leastMs: 0, mostMs: 0 },
  { kind: 'partition-manager', family: managers, weight: 5, leastMs: 4_000, mostMs: 20_000 },
  { kind: 'kill-store', family: stores, weight: 2, leastMs: 2_000, mostMs: 15_000 },
  { kind: 'pause-store', family: stores, weight: 2, leastMs: 2_000, mostMs: 15_000 },
  { kind: 'partition-store', family: stores, weight: 2, leastMs: 4_000, mostMs: 15_000 },
  { kind: 'kill-agent', family: nodes, weight: 2, leastMs: 1_000, mostMs: 25_000 },
  { kind: 'pause-agent', family: nodes, weight: 2, leastMs: 2_000, mostMs: 25_000 },
  { kind: 'restart-agent', family: nodes, weight: 1, leastMs: 0, mostMs: 0 },
  { kind: 'kill-engine', family: nodes, weight: 2, leastMs: 1_000, mostMs: 25_000 },
  { kind: 'pause-engine', family: nodes, weight: 2, leastMs: 2_000, mostMs: 25_000 },
  { kind: 'restart-engine', family: nodes, weight: 1, leastMs: 0, mostMs: 0 },
  { kind: 'power-off', family: nodes, weight: 3, leastMs: 4_000, mostMs: 30_000 },
  { kind: 'partition-node', family: nodes, weight: 6, leastMs: 4_000, mostMs: 30_000 },
  { kind: 'fill-disk', family: nodes, weight: 2, leastMs: 5_000, mostMs: 30_000 },
] as const satisfies readonly KindOfFault[];

/** Whom a machine may be parted from. */
const sides: Partial<Record<FaultKind, readonly (readonly string[])[]>> = {
  'partition-manager': [everybody, storeNames, managerNames, nodeNames],
  'partition-store': [everybody, storeNames, managerNames],
  'partition-node': [everybody, managerNames, storeNames, ...managerNames.map((name) => [name])],
};

/** Nobody is hurt anew before it had time to recover. */
const recoveryMs = 6_000;
const firstMs = 4_000;
/** The last fault ends so long before the run does. */
const calmMs = 3_000;

export interface PlanOptions {
  readonly seed: number;
  readonly lengthMs: number;
  /** Between the begins of two faults, on average. */
  readonly betweenMs: number;
}

/** In order of their begins. */
export function planFaults({ seed, lengthMs, betweenMs }: PlanOptions): readonly Fault[] {
  const random = new SeededRandom(seed);
  const planned: Fault[] = [];
  for (let atMs = firstMs; ; atMs += random.between(betweenMs / 2, betweenMs * 1.5)) {
    const { kind, family, leastMs, mostMs } = anyKind(random);
    const forMs = random.between(leastMs, mostMs);
    const fault = { atMs, forMs, kind, ...anyTarget({ kind, family }, random) };
    if (atMs + calmMs > lengthMs) return planned;
    const busy = planned.filter((other) => other.atMs + other.forMs + recoveryMs > atMs);
    const inFamily = busy.filter(({ target }) => family.members.includes(target));
    const isHurt = inFamily.some(({ target }) => target === fault.target);
    const isFree = inFamily.length < family.most && !isHurt && atMs + forMs + calmMs <= lengthMs;
    if (isFree) planned.push(fault);
  }
}

export function describeFault({ atMs, forMs, kind, target, against, lost }: Fault): string {
  const parted = against.length === 0 ? '' : `, from ${against.join(' ')}, ${lost}`;
  return `${seconds(atMs)} s: ${kind} ${target} for ${seconds(forMs)} s${parted}`;
}

/** What a client does next, as far as that may be known beforehand: what it means depends on what its container is then. */
export interface Choice {
  readonly slot: number;
  /** From 0 to 1: which of the things that may be done with the container. */
  readonly dice: number;
  /** The manager that is asked first. */
  readonly manager: number;
  readonly pauseMs: number;
  readonly isKeyed: boolean;
  readonly mayMove: boolean;
  readonly hasVolume: boolean;
  readonly isService: boolean;
}

const slotsOfClient = 6;

/** Without end. Each choice draws as often as any other, whatever comes of it. */
export function* choicesOf(seed: number, client: number): Generator<Choice, never> {
  const random = new SeededRandom(seed * 1_009 + client);
  for (;;) {
    yield {
      slot: random.between(0, slotsOfClient - 1),
      dice: random.next(),
      manager: random.between(0, managerNames.length - 1),
      pauseMs: random.between(50, 400),
      isKeyed: random.chance(0.4),
      mayMove: random.chance(0.5),
      hasVolume: random.chance(0.3),
      isService: random.chance(0.5),
    };
  }
}

interface KindAndFamily {
  readonly kind: FaultKind;
  readonly family: Family;
}

function anyKind(random: SeededRandom): (typeof faultKinds)[number] {
  let left = random.next() * faultKinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const one of faultKinds) {
    left -= one.weight;
    if (left < 0) return one;
  }
  return faultKinds[0];
}

function anyTarget({ kind, family }: KindAndFamily, random: SeededRandom): Pick<Fault, 'target' | 'against' | 'lost'> {
  const target = random.oneOf(family.members) ?? '';
  const side = random.oneOf(sides[kind] ?? []) ?? [];
  const lost = random.oneOf(['both', 'both', 'sent', 'received'] as const) ?? 'both';
  return { target, against: side.filter((name) => name !== target), lost };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
