// Volumes that were created through this manager and that no container has used: they are empty, so they may still
// go where the first container goes. What is not known here counts as used.
import { conflict } from '../../common/errors.ts';
import { RecentMap } from '../../common/recent-map.ts';
import { isWireObject, textMember } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';

const maxRemembered = 10_000;

export class FreshVolumes {
  readonly #engines = new RecentMap<string, Engine>(maxRemembered);
  readonly #moves = new Map<string, Promise<void>>();

  add(name: string, engine: Engine): void {
    this.#engines.set(name, engine);
  }

  /** A container uses the volume: from now on it stays where it is. */
  used(name: string): void {
    this.#engines.delete(name);
  }

  isFresh(name: string): boolean {
    return this.#engines.has(name);
  }

  /** Resolves when none of the volumes is on its way; never rejects. */
  async settled(names: readonly string[]): Promise<void> {
    for (const name of names) {
      for (let move = this.#moves.get(name); move !== undefined; move = this.#moves.get(name)) await move;
    }
  }

  /** Moves the volume to `target`, unless it is there. Throws when the engine where it is says that it is in use. */
  async move(name: string, target: Engine): Promise<void> {
    const source = this.#engines.get(name);
    this.#engines.delete(name);
    if (source === undefined || source === target) return;
    const work = moveVolume(name, source, target);
    const settled = work.then(ignore, ignore).finally(() => this.#moves.delete(name));
    this.#moves.set(name, settled);
    await work;
  }
}

// The copy comes first: should the manager end between the two, there are two empty volumes rather than none.
async function moveVolume(name: string, source: Engine, target: Engine): Promise<void> {
  const path = `/volumes/${encodeURIComponent(name)}`;
  const { body: row } = await source.client.request({ method: 'GET', path });
  if (!isWireObject(row)) throw conflict(`volume ${name} could not be read on node ${source.name}`);
  const { Driver, Options, Labels } = row;
  const body = { Name: name, Driver, DriverOpts: Options ?? {}, Labels: Labels ?? {} };
  await target.client.request({ method: 'POST', path: '/volumes/create', body });
  try {
    await source.client.request({ method: 'DELETE', path });
  } catch (error) {
    await target.client.request({ method: 'DELETE', path });
    throw conflict(`volume ${name} stays on node ${source.name}: ${textMember(error, 'message')}`);
  } finally {
    await Promise.all([source.refreshVolumes(), target.refreshVolumes()]);
  }
}

function ignore(): void {
  // Whoever asked for the move hears of its failure.
}
