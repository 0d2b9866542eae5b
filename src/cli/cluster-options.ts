// The options of `--cluster-opt KEY=VALUE`: names and units of docker/classicswarm.
import { parseDurationMs } from '../docker/duration.ts';
import { UsageError } from './usage-error.ts';

export interface ClusterOptions {
  /** Share of a node's resources that may be promised beyond what it has; negative holds some back. */
  readonly overcommit: number;
  /** How many other nodes are tried after an engine refused a create with a server error. */
  readonly createRetry: number;
  /** For how long a name stays taken after the answer to its create was lost and the engine shows no container. */
  readonly createDoubtMs: number;
  /** `classic`: CpuShares are read as whole cores, as classicswarm did. */
  readonly cpuMode: 'engine' | 'classic';
  /** `all`: stopped containers count as load, as classicswarm had it. */
  readonly load: 'active' | 'all';
  /** Whether copies of one Compose service are kept apart where that is possible. */
  readonly spreadsReplicas: boolean;
  /** Whether names are given that a node may have which has not answered since the manager started. */
  readonly unseenNodes: 'known' | 'refuse' | 'ignore';
}

const parsers: Readonly<Record<string, (text: string) => Partial<ClusterOptions>>> = {
  'swarm.overcommit': (text) => ({ overcommit: overcommit(text) }),
  'swarm.createretry': (text) => ({ createRetry: createRetry(text) }),
  'swarm.createdoubt': (text) => ({ createDoubtMs: createDoubt(text) }),
  'swarm.cpumode': (text) => ({ cpuMode: cpuMode(text) }),
  'swarm.load': (text) => ({ load: load(text) }),
  'swarm.spreadreplicas': (text) => ({ spreadsReplicas: isOn('swarm.spreadreplicas', text) }),
  'swarm.unseen': (text) => ({ unseenNodes: unseenNodes(text) }),
};

/** Throws a UsageError that names the option and what it accepts. */
export function clusterOptions(pairs: readonly (readonly [string, string])[]): ClusterOptions {
  const defaults: ClusterOptions = {
    overcommit: 0.05,
    createRetry: 0,
    createDoubtMs: 30_000,
    cpuMode: 'engine',
    load: 'active',
    spreadsReplicas: true,
    unseenNodes: 'known',
  };
  return pairs.reduce((options, [key, value]) => {
    const parse = Object.hasOwn(parsers, key) ? parsers[key] : undefined;
    if (!parse) {
      throw new UsageError(`--cluster-opt: '${key}' is not an option; accepted are ${Object.keys(parsers).join(', ')}`);
    }
    return { ...options, ...parse(value) };
  }, defaults);
}

function overcommit(text: string): number {
  const value = Number(text);
  if (value <= -1) {
    throw new UsageError(
      `--cluster-opt swarm.overcommit=${text}: swarm.overcommit should be larger than -1, ${value.toFixed(6)} is invalid`,
    );
  }
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new UsageError(`--cluster-opt swarm.overcommit=${text}: it must be a number greater than -1, such as 0.05`);
  }
  return value;
}

function createRetry(text: string): number {
  if (/^-\d+$/.test(text)) {
    throw new UsageError(
      `--cluster-opt swarm.createretry=${text}: swarm.createretry can not be negative, ${text} is invalid`,
    );
  }
  if (!/^\d{1,6}$/.test(text)) {
    throw new UsageError(`--cluster-opt swarm.createretry=${text}: it must be a whole number of at least 0`);
  }
  return Number(text);
}

function createDoubt(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 1_000)
    throw new UsageError(`--cluster-opt swarm.createdoubt=${text}: it must be a duration of at least 1s, such as 30s`);
  return ms;
}

function cpuMode(text: string): ClusterOptions['cpuMode'] {
  if (text !== 'engine' && text !== 'classic') {
    throw new UsageError(`--cluster-opt swarm.cpumode=${text}: it must be engine or classic`);
  }
  return text;
}

function load(text: string): ClusterOptions['load'] {
  if (text !== 'active' && text !== 'all') {
    throw new UsageError(`--cluster-opt swarm.load=${text}: it must be active or all`);
  }
  return text;
}

function unseenNodes(text: string): ClusterOptions['unseenNodes'] {
  if (text !== 'known' && text !== 'refuse' && text !== 'ignore') {
    throw new UsageError(`--cluster-opt swarm.unseen=${text}: it must be known, refuse or ignore`);
  }
  return text;
}

function isOn(option: string, text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new UsageError(`--cluster-opt ${option}=${text}: it must be on or off`);
}
