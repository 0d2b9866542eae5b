// The command line of the benchmark. Everything that costs time or memory is bounded here.
import { parseArgs } from 'node:util';
import type { FleetFault } from './fleet-messages.ts';

export interface BenchOptions {
  readonly nodes: number;
  /** Running containers of each node at the start. */
  readonly containers: number;
  /** "host:port" of a Docker API to measure in place of a manager of our own. */
  readonly target: string | undefined;
  /** Where the addresses of the simulated engines are written, one a line, for managers started by others. */
  readonly membersFile: string | undefined;
  /** The script of the manager that is measured. */
  readonly managerScript: string;
  /** Arguments of Node for the manager, as "--cpu-prof". */
  readonly nodeArgs: readonly string[];
  /** How long the manager is left alone while its CPU is measured, in seconds. */
  readonly idleSeconds: number;
  /** So many engines have that fault before the last measurements. */
  readonly faulty: Readonly<Record<FleetFault, number>>;
  /** How long every engine takes to begin an answer. */
  readonly latencyMs: number;
  /** In place of measurements: so many seconds of churn, with an eye on memory and descriptors. */
  readonly soakSeconds: number | undefined;
  /** How many creates run at once, one measurement each. */
  readonly creates: readonly number[];
  /** The manager is given up when its view is not complete by then, in seconds. */
  readonly patienceSeconds: number;
}

/** Throws for an argument that is not understood. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '100' },
      containers: { type: 'string', default: '30' },
      target: { type: 'string' },
      members: { type: 'string' },
      manager: { type: 'string', default: 'dist/src/main.js' },
      'node-arg': { type: 'string', multiple: true, default: [] },
      idle: { type: 'string', default: '20' },
      hanging: { type: 'string', default: '0' },
      refusing: { type: 'string', default: '0' },
      slow: { type: 'string', default: '0' },
      dropping: { type: 'string', default: '0' },
      latency: { type: 'string', default: '0' },
      soak: { type: 'string' },
      creates: { type: 'string', default: '1,16,64,256' },
      patience: { type: 'string', default: '120' },
    },
  });
  return {
    nodes: wholeNumber('nodes', values.nodes, 10_000),
    containers: wholeNumber('containers', values.containers, 1_000),
    target: values.target,
    membersFile: values.members,
    managerScript: values.manager,
    nodeArgs: values['node-arg'],
    idleSeconds: wholeNumber('idle', values.idle, 3_600),
    faulty: {
      hang: wholeNumber('hanging', values.hanging, 10_000),
      refuse: wholeNumber('refusing', values.refusing, 10_000),
      slow: wholeNumber('slow', values.slow, 10_000),
      drop: wholeNumber('dropping', values.dropping, 10_000),
    },
    latencyMs: wholeNumber('latency', values.latency, 10_000),
    soakSeconds: values.soak === undefined ? undefined : duration('soak', values.soak),
    creates: values.creates.split(',').flatMap((text) => (text === '' ? [] : [wholeNumber('creates', text, 1_024)])),
    patienceSeconds: wholeNumber('patience', values.patience, 3_600),
  };
}

/** "90s" or "20m", in seconds. */
function duration(name: string, text: string): number {
  const [, digits, unit] = /^(\d{1,5})(s|m|h)$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`--${name} must be a time as 90s, 20m or 1h, not "${text}"`);
  return Number(digits) * (unit === 's' ? 1 : unit === 'm' ? 60 : 3600);
}

function wholeNumber(name: string, text: string, maximum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= maximum) return value;
  throw new Error(`--${name} must be a whole number of at most ${maximum}, not "${text}"`);
}
