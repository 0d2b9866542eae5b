// Plays the corpus: a plain engine beside a manager over three of two releases, whose networks are bridges on one node
// or overlays of a swarm. Every node sees the same files of the host, as bind mounts need.
import { mkdirSync } from 'node:fs';
import { elements, field, text } from '../document.ts';
import type { Say } from '../rig/command.ts';
import type { RigEngine } from '../rig/engine.ts';
import { stateDirectory } from '../rig/rig-kind.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RigManager } from '../rig/shoal-process.ts';
import { mayDiffer } from './allow-list.ts';
import { compareProject, type CorpusDifference } from './compare.ts';
import { copyProject, Player, type Target } from './player.ts';
import { corpusProjects, type ComposeVersion, type NetworkKind, type Project } from './projects.ts';

export interface CorpusPart {
  readonly project: Project;
  readonly version: ComposeVersion;
}

export interface CorpusResult {
  /** That the allow-list does not know. */
  readonly differences: readonly CorpusDifference[];
  /** Containers, volumes and networks that are still on an engine at the end. */
  readonly left: readonly string[];
}

/** Each project with each Compose that reads it. */
export function allParts(): readonly CorpusPart[] {
  return corpusProjects().flatMap((project) =>
    (['v1', 'v2'] as const)
      .filter((version) => version === 'v2' || project.newerOnly === undefined)
      .map((version) => ({ project, version })),
  );
}

export class CorpusRig {
  readonly rig: Rig;
  readonly manager: RigManager;
  #networks: NetworkKind = 'bridge';

  constructor(rig: Rig, manager: RigManager) {
    this.rig = rig;
    this.manager = manager;
  }

  /** On bridge networks; `formSwarm` makes them overlays. */
  static async start(): Promise<CorpusRig> {
    const engines = ['28.5', '20.10', '28.5', '20.10', '28.5'] as const;
    const rig = await startRig({ engines, manager: 'none', compose: true });
    const managed = rig.engines.slice(0, 3);
    const manager = rig.newManager(`nodes://${managed.map(({ address }) => address).join(',')}`, {});
    try {
      await manager.start();
      await manager.waitUntilHealthy(managed.length);
    } catch (error) {
      await manager.stop();
      await rig.stop();
      throw error;
    }
    return new CorpusRig(rig, manager);
  }

  async formSwarm(): Promise<void> {
    await formSwarm(this.cluster.engines);
    // One that starts learns of the swarm at once.
    await this.manager.restart();
    await this.manager.waitUntilHealthy(3);
    this.#networks = 'overlay';
  }

  get cluster(): Target {
    return { address: this.manager.address, engines: this.rig.engines.slice(0, 3) };
  }

  /** Compose v1 cannot recreate containers on an engine newer than 24. */
  plain(version: ComposeVersion): Target {
    const engine = this.rig.engines[version === 'v1' ? 3 : 4]!;
    return { address: engine.address, engines: [engine] };
  }

  /** Projects of one name are played one after the other, others `atOnce`. */
  async play(parts: readonly CorpusPart[], atOnce: number, say: Say): Promise<CorpusResult> {
    const names = [...new Set(parts.map(({ project }) => project.name))];
    const queues = names.map((name) => parts.filter(({ project }) => project.name === name));
    const differences: CorpusDifference[] = [];
    const work = async (): Promise<void> => {
      for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) {
        for (const part of queue) {
          const started = performance.now();
          const found = (await this.#playPart(part)).filter((one) => !mayDiffer(one, this.#networks));
          differences.push(...found);
          const seconds = ((performance.now() - started) / 1000).toFixed(1);
          say(`${part.project.name} (${part.version}, ${this.#networks}): ${found.length} differences, ${seconds} s`);
          found.slice(0, shownDifferences).map(described).forEach(say);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return { differences, left: await this.leftovers() };
  }

  /** Of whatever project, by name; of anonymous volumes, which Compose leaves when it has recreated a container, only how many more the cluster has. */
  async leftovers(): Promise<readonly string[]> {
    const named = (await Promise.all(this.rig.engines.map(namedRemainsOn))).flat();
    const [onCluster, onPlain] = await Promise.all(
      [this.rig.engines.slice(0, 3), this.rig.engines.slice(3)].map(countAnonymousVolumes),
    );
    return onCluster === onPlain
      ? named
      : [...named, `anonymous volumes: ${onCluster} and ${onPlain} on plain engines`];
  }

  async stop(): Promise<void> {
    await this.manager.stop();
    await this.rig.stop();
  }

  async #playPart({ project, version }: CorpusPart): Promise<readonly CorpusDifference[]> {
    const parent = `${stateDirectory(this.rig.kind)}/corpus`;
    mkdirSync(parent, { recursive: true });
    const play = { project, version, folder: copyProject(project, parent) };
    const { clients } = this.rig;
    return await compareProject(
      { project: project.name, version },
      {
        engine: new Player(clients, this.plain(version), play),
        manager: new Player(clients, this.cluster, play),
        mayDiffer: (at) => mayDiffer({ at }, this.#networks),
      },
    );
  }
}

export function described({ project, version, at, engine, manager }: CorpusDifference): string {
  return `${project} (${version}): ${at}\n    engine:  ${engine}\n    manager: ${manager}`;
}

/** One deviation shows in many places. */
const shownDifferences = 15;

async function formSwarm(engines: readonly RigEngine[]): Promise<void> {
  const [first, ...others] = engines;
  if (first === undefined) return;
  const host = first.machine.address;
  await expectOk(first, '/swarm/init', { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: host });
  const swarm = (await first.api('GET', '/swarm')).json;
  for (const engine of others) {
    await expectOk(engine, '/swarm/join', {
      ListenAddr: '0.0.0.0:2377',
      AdvertiseAddr: engine.machine.address,
      RemoteAddrs: [`${host}:2377`],
      JoinToken: text(swarm, 'JoinTokens', 'Worker'),
    });
  }
}

async function expectOk(engine: RigEngine, path: string, body: unknown): Promise<void> {
  const answer = await engine.api('POST', path, body);
  if (answer.status !== 200) throw new Error(`${engine.name} ${path}: ${answer.text}`);
}

const ownNetworks: ReadonlySet<string> = new Set(['bridge', 'host', 'none', 'docker_gwbridge', 'ingress']);

async function namedRemainsOn(engine: RigEngine): Promise<string[]> {
  const containers = elements((await engine.api('GET', '/containers/json?all=1')).json);
  const networks = elements((await engine.api('GET', '/networks')).json).map((row) => text(row, 'Name'));
  const volumes = (await volumesOf(engine)).filter((name) => !anonymous.test(name));
  return [
    ...containers.map((row) => `container ${JSON.stringify(field(row, 'Names'))}`),
    ...networks.filter((name) => !ownNetworks.has(name)).map((name) => `network ${name}`),
    ...volumes.map((name) => `volume ${name}`),
  ].map((what) => `${engine.name}: ${what}`);
}

const anonymous = /^[0-9a-f]{64}$/;

async function countAnonymousVolumes(engines: readonly RigEngine[]): Promise<number> {
  const volumes = (await Promise.all(engines.map(volumesOf))).flat();
  return volumes.filter((name) => anonymous.test(name)).length;
}

async function volumesOf(engine: RigEngine): Promise<readonly string[]> {
  const rows = (field((await engine.api('GET', '/volumes')).json, 'Volumes') ?? []) as readonly unknown[];
  return rows.map((row) => text(row, 'Name'));
}
