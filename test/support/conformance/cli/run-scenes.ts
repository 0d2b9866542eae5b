// The whole comparison with stock clients: every scene against plain engines and against a manager over three. Over
// engines of several releases, a command must answer as one of the releases does.
import type { RigEngine } from '../../rig/engine.ts';
import { startRig, type Rig } from '../../rig/rig.ts';
import type { RigManager } from '../../rig/shoal-process.ts';
import { judgeLines, type LineVerdict } from './allowed-lines.ts';
import type { Cluster, FoundLine } from './found-line.ts';
import { playScenes } from './play-scenes.ts';
import type { Cli, PlayedCommand, Scene } from './scene.ts';
import { scenes } from './scenes.ts';
import { differentLines } from './transcript.ts';

/** 'mixed' stands for the manager over several releases. */
export interface SceneComparison {
  /** Commands compared. */
  readonly commands: number;
  readonly verdict: LineVerdict;
}

/** One client on one cluster. */
export interface Play {
  readonly cluster: Cluster;
  readonly cli: Cli;
  readonly scenes: readonly Scene[];
}

const shortPairs: readonly (readonly [Cluster, Cli])[] = [
  ['20.10', '20.10'],
  ['28.5', 'path'],
  ['mixed', '26.1'],
];

/** Every scene once, every client and every cluster with some of them. */
export const shortPlan: readonly Play[] = shortPairs.map(([cluster, cli], place) => {
  return { cluster, cli, scenes: scenes.filter((_, index) => index % shortPairs.length === place) };
});

/** Everything. */
export const wholePlan: readonly Play[] = (['20.10', '28.5', 'mixed'] as const).flatMap((cluster) =>
  (['20.10', '26.1', 'path'] as const).map((cli) => ({ cluster, cli, scenes })),
);

export async function compareScenes(plan: readonly Play[]): Promise<SceneComparison> {
  const rig = await startRig({
    engines: ['20.10', '28.5', '20.10', '20.10', '20.10', '28.5', '28.5', '28.5'],
    manager: 'none',
    needs: ['cli-26.1', 'buildx'],
  });
  const theatre = new Theatre(rig);
  try {
    const compared: PairComparison[] = [];
    // Those of one release need nothing of each other; the mixed cluster borrows nodes of both.
    const ofOneRelease = (['20.10', '28.5'] as const).map(async (cluster) => {
      for (const play of plan) if (play.cluster === cluster) compared.push(await theatre.compare(play));
      await theatre.close(cluster);
    });
    for (const settled of await Promise.allSettled(ofOneRelease)) {
      if (settled.status === 'rejected') throw settled.reason;
    }
    for (const play of plan) if (play.cluster === 'mixed') compared.push(await theatre.compare(play));
    return {
      commands: compared.reduce((sum, { commands }) => sum + commands, 0),
      verdict: judgeLines(compared.flatMap(({ found }) => found)),
    };
  } finally {
    await theatre.closeAll();
    await rig.stop();
  }
}

interface PairComparison {
  readonly commands: number;
  readonly found: readonly FoundLine[];
}

/** The plain engines, and a manager for each cluster. */
class Theatre {
  readonly #rig: Rig;
  readonly #managers = new Map<Cluster, RigManager>();
  /** What a plain engine answers to a client is played once. */
  readonly #ofEngines = new Map<string, Promise<PlayedCommand[]>>();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async compare({ cluster, cli, scenes: chosen }: Play): Promise<PairComparison> {
    const manager = await this.#manager(cluster);
    const releases = cluster === 'mixed' ? (['20.10', '28.5'] as const) : [cluster];
    const [ofManager, ...ofEngines] = await Promise.all([
      playScenes({ clients: this.#rig.clients, cli, address: manager.address }, chosen),
      ...releases.map(async (release) => await this.#ofEngine(release, cli, chosen)),
    ]);
    const found = ofManager.flatMap(({ scene, command, transcript }, index) => {
      const differences = ofEngines.map((played) => differentLines(played[index]?.transcript ?? [], transcript));
      return nearest(differences.map((lines) => lines.map((line) => ({ cluster, cli, scene, command, ...line }))));
    });
    return { commands: ofManager.length, found };
  }

  async close(cluster: Cluster): Promise<void> {
    const manager = this.#managers.get(cluster);
    this.#managers.delete(cluster);
    await manager?.stop();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#managers.keys()].map(async (cluster) => this.close(cluster)));
  }

  async #ofEngine(release: '20.10' | '28.5', cli: Cli, chosen: readonly Scene[]): Promise<PlayedCommand[]> {
    const key = `${release} ${cli}`;
    const known = this.#ofEngines.get(key);
    if (known !== undefined) return await known;
    const address = this.#rig.engines[release === '20.10' ? 0 : 1]?.address ?? '';
    const played = playScenes({ clients: this.#rig.clients, cli, address }, chosen);
    this.#ofEngines.set(key, played);
    return await played;
  }

  async #manager(cluster: Cluster): Promise<RigManager> {
    const running = this.#managers.get(cluster);
    if (running !== undefined) return running;
    const engines = this.#nodesOf(cluster);
    const discovery = `nodes://${engines.map(({ address }) => address).join(',')}`;
    const port = { '20.10': 2375, '28.5': 2376, mixed: 2377 }[cluster];
    const manager = this.#rig.newManager(discovery, { port, name: `manager-${cluster}` });
    this.#managers.set(cluster, manager);
    await manager.start();
    await manager.waitUntilHealthy(engines.length);
    return manager;
  }

  #nodesOf(cluster: Cluster): readonly RigEngine[] {
    const [, , ...nodes] = this.#rig.engines;
    if (cluster !== 'mixed') return nodes.filter(({ release }) => release === cluster);
    return [...nodes.slice(0, 2), ...nodes.slice(-1)];
  }
}

/** The comparison with the release that differs least, allowed lines aside. */
function nearest(comparisons: readonly (readonly FoundLine[])[]): readonly FoundLine[] {
  const unknown = (lines: readonly FoundLine[]): number => judgeLines(lines).unknown.length;
  return comparisons.toSorted((a, b) => unknown(a) - unknown(b) || a.length - b.length)[0] ?? [];
}
