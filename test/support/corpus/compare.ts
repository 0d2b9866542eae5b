// Plays a project against a plain engine and against the manager in step, and lists what differs. What shows itself
// a moment later on several hosts (names, logs) is looked at again until it is there or has had its time.
import { setTimeout as delay } from 'node:timers/promises';
import type { Plain } from './snapshot.ts';
import type { Player } from './player.ts';
import type { ComposeVersion } from './projects.ts';

export interface CorpusDifference {
  readonly project: string;
  readonly version: ComposeVersion;
  /** The step and the way into what it showed: "up > containers > x-web-1 > host > Init". */
  readonly at: string;
  readonly engine: string;
  readonly manager: string;
}

interface Step {
  readonly name: string;
  readonly play: (player: Player) => Promise<Plain>;
  /** Only looks, and may look again. */
  readonly looks: boolean;
}

const act = (name: string, play: Step['play']): Step => ({ name, play, looks: false });
const look = (name: string, play: Step['play']): Step => ({ name, play, looks: true });

const steps: readonly Step[] = [
  act('prepare', async (player) => await player.prepare()),
  look('config', async (player) => await player.config()),
  act('build', async (player) => await player.build()),
  act('up', async (player) => await player.up()),
  look('state', async (player) => await player.state()),
  look('ps', async (player) => await player.ps()),
  look('logs', async (player) => await player.logs()),
  look('exec', async (player) => await player.exec()),
  look('reach', async (player) => await player.reach()),
  act('scale', async (player) => await player.scale()),
  act('restart', async (player) => await player.restart()),
  act('up again', async (player) => await player.up()),
  act('up unchanged', async (player) => await player.up()),
  act('up changed', async (player) => await player.up([], { COLOUR: 'red' })),
  look('state changed', async (player) => await player.state()),
  act('stop', async (player) => await player.stop()),
  act('down', async (player) => await player.down()),
  act('tidy', async (player) => await player.tidy()),
];

const lookLimitMs = 20_000;
const separator = ' > ';

export interface Players {
  readonly engine: Player;
  readonly manager: Player;
  /** Which places may differ. */
  readonly mayDiffer: (place: string) => boolean;
}

export async function compareProject(
  played: { readonly project: string; readonly version: ComposeVersion },
  players: Players,
): Promise<readonly CorpusDifference[]> {
  const differences: CorpusDifference[] = [];
  for (const step of steps) {
    const found = await compareStep(step, players);
    differences.push(...found.map((difference) => ({ ...played, ...difference })));
  }
  return differences;
}

async function compareStep(step: Step, players: Players): Promise<readonly Found[]> {
  const deadline = performance.now() + lookLimitMs;
  let found = await playedOnce(step, players);
  while (step.looks && !found.every(({ at }) => players.mayDiffer(at)) && performance.now() < deadline) {
    await delay(200);
    found = await playedOnce(step, players);
  }
  return found;
}

async function playedOnce({ name, play }: Step, { engine, manager }: Players): Promise<readonly Found[]> {
  const [ofEngine, ofManager] = await Promise.all([play(engine), play(manager)]);
  return differencesBetween(name, ofEngine, ofManager);
}

type Found = Pick<CorpusDifference, 'at' | 'engine' | 'manager'>;

/** Words of a command are compared where its exit codes differ: when it failed on both sides they may be in any order. */
export function differencesBetween(at: string, engine: Plain, manager: Plain): readonly Found[] {
  const ofEngine = flattened(engine, at);
  const ofManager = flattened(manager, at);
  return [...new Set([...ofEngine.keys(), ...ofManager.keys()])]
    .map((place) => ({
      at: place,
      engine: ofEngine.get(place) ?? 'absent',
      manager: ofManager.get(place) ?? 'absent',
    }))
    .filter((found) => found.engine !== found.manager)
    .filter(
      ({ at: place }, _, found) =>
        !place.endsWith(`${separator}said`) || found.some((one) => one.at.endsWith(`${separator}code`)),
    );
}

function flattened(value: Plain, at: string): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([[at, JSON.stringify(value)]]);
  return new Map(Object.entries(value).flatMap(([key, member]) => [...flattened(member, `${at}${separator}${key}`)]));
}

/** `pattern` as a place is written; `*` stands for any one step of the way, `**` at the end for whatever follows. */
export function isAt(place: string, pattern: string): boolean {
  const parts = place.split(separator);
  const wanted = pattern.split(separator);
  const isOpen = wanted.at(-1) === '**';
  if (isOpen ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return wanted.every((part, index) => part === '*' || part === '**' || part === parts[index]);
}
