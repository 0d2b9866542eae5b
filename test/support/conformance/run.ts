// The whole comparison: every script against a plain engine and against a manager over an engine of the same release,
// then against a manager over mixed engines, where only the shape of answers is held against the newest release.
import { busyboxImageArchive } from '../rig/busybox-image.ts';
import type { RigEngine } from '../rig/engine.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RigManager } from '../rig/shoal-process.ts';
import { differencesBetween, shapeDifferences, type Difference } from './differences.ts';
import type { Played } from './exchange.ts';
import { play } from './play.ts';
import { readAnswer, type OwnNames } from './read-answer.ts';
import { allScenarios, playedVersions, scenariosAt } from './scripts.ts';

/** 'mixed' stands for the manager over several releases. */
export type Against = '20.10' | '28.5' | 'mixed';

export interface FoundDifference extends Difference {
  readonly against: Against;
  readonly version: string;
  readonly scenario: string;
  readonly title: string;
  readonly route: string;
}

export interface Comparison {
  /** Pairs of answers compared. */
  readonly exchanges: number;
  /** As in the table of routes; those of the API that were played. */
  readonly routes: ReadonlySet<string>;
  readonly differences: readonly FoundDifference[];
}

export async function compareWithEngines(): Promise<Comparison> {
  const rig = await startRig({
    engines: ['20.10', '28.5', '20.10', '28.5', '26.1'],
    manager: 'none',
  });
  const managers: RigManager[] = [];
  try {
    return await compareOn(rig, managers);
  } finally {
    await Promise.all(
      managers.map(async (manager) => {
        await manager.stop();
      }),
    );
    await rig.stop();
  }
}

async function compareOn(rig: Rig, managers: RigManager[]): Promise<Comparison> {
  const scenarios = allScenarios(await busyboxImageArchive());
  const [plainOld, plainNew, managedOld, managedNew, extra] = rig.engines;
  if (!plainOld || !plainNew || !managedOld || !managedNew || !extra) throw new Error('the rig has too few engines');

  const startManager = async (port: number, engines: readonly RigEngine[]): Promise<RigManager> => {
    const discovery = `nodes://${engines.map(({ address }) => address).join(',')}`;
    const manager = rig.newManager(discovery, { port, name: `manager-${port}` });
    managers.push(manager);
    await manager.start();
    await manager.waitUntilHealthy(engines.length);
    return manager;
  };
  const newest: Played[] = [];
  const comparePair = async (
    against: '20.10' | '28.5',
    plain: RigEngine,
    managed: { readonly engine: RigEngine; readonly port: number },
  ): Promise<Comparison> => {
    const last = against === '20.10' ? '1.41' : '1.51';
    const manager = await startManager(managed.port, [managed.engine]);
    const compared: Comparison[] = [];
    for (const version of playedVersions(last)) {
      const chosen = scenariosAt(version, last, scenarios);
      const [ofEngine, ofManager] = await Promise.all([
        play(rig.clients.peer(plain.address), version, chosen),
        play(rig.clients.peer(manager.address), version, chosen),
      ]);
      if (version === '1.51') newest.push(...ofEngine);
      const places = { engine: namesOf(plain), manager: { hostName: managed.engine.name, address: manager.address } };
      compared.push(compare({ against, ofEngine, ofManager, ...places, differences: differencesBetween }));
    }
    await manager.stop();
    return merged(compared);
  };
  const pairs = await Promise.all([
    comparePair('20.10', plainOld, { engine: managedOld, port: 2375 }),
    comparePair('28.5', plainNew, { engine: managedNew, port: 2376 }),
  ]);
  const mixed = await startManager(2377, [managedOld, managedNew, extra]);
  const ofMixed = await play(rig.clients.peer(mixed.address), '1.51', scenariosAt('1.51', '1.51', scenarios));
  const names = { engine: namesOf(plainNew), manager: { hostName: managedNew.name, address: mixed.address } };
  const shapes = compare({
    against: 'mixed',
    ofEngine: newest,
    ofManager: ofMixed,
    ...names,
    differences: shapeDifferences,
  });
  return merged([...pairs, shapes]);
}

function namesOf(engine: RigEngine): OwnNames {
  return { hostName: engine.name, address: engine.address };
}

interface Pair {
  readonly against: Against;
  readonly ofEngine: readonly Played[];
  readonly ofManager: readonly Played[];
  readonly engine: OwnNames;
  readonly manager: OwnNames;
  readonly differences: typeof differencesBetween;
}

function compare({ against, ofEngine, ofManager, engine, manager, differences }: Pair): Comparison {
  if (ofEngine.length !== ofManager.length) throw new Error('the same scripts gave different numbers of answers');
  const found = ofEngine.flatMap((played, index) => {
    const other = ofManager[index];
    if (other?.title !== played.title) throw new Error(`${played.title} was answered out of order`);
    const { title, route, version, scenario } = played;
    return differences(readAnswer(played, engine), readAnswer(other, manager)).map((difference) => ({
      ...{ against, scenario, title, route, version },
      ...difference,
    }));
  });
  return { exchanges: ofEngine.length, routes: new Set(ofEngine.map(({ route }) => route)), differences: found };
}

function merged(all: readonly Comparison[]): Comparison {
  return {
    exchanges: all.reduce((sum, { exchanges }) => sum + exchanges, 0),
    routes: new Set(all.flatMap(({ routes }) => [...routes])),
    differences: all.flatMap(({ differences }) => differences),
  };
}
