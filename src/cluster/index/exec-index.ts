// Which engine runs an exec instance. Only that engine knows the id, so it is remembered when it passes by, and
// looked for on every engine when it did not: after a restart of the manager, for example.
import { notFound, unavailable } from '../../common/errors.ts';
import { RecentMap } from '../../common/recent-map.ts';
import type { DockerEvent } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import { Limiter } from '../../engine/limiter.ts';

const maxRemembered = 10_000;
const searchTimeoutMs = 5_000;
/** Requests of all searches together. */
const maxAsked = 128;

export class ExecIndex {
  readonly #healthyEngines: () => readonly Engine[];
  readonly #engines = new RecentMap<string, Engine>(maxRemembered);
  readonly #limiter = new Limiter(maxAsked);

  constructor(healthyEngines: () => readonly Engine[]) {
    this.#healthyEngines = healthyEngines;
  }

  remember(id: string, engine: Engine): void {
    this.#engines.set(id, engine);
  }

  /** Takes the id out of an engine's `exec_create` event. */
  learn(engine: Engine, event: DockerEvent): void {
    if (!event.Action.startsWith('exec_create')) return;
    const id = event.Actor.Attributes?.['execID'];
    if (id !== undefined) this.remember(id, engine);
  }

  removeEngine(engine: Engine): void {
    for (const [id, owner] of this.#engines.entries()) if (owner === engine) this.#engines.delete(id);
  }

  /** Throws 404 when no healthy engine knows the id, 503 when the one that does cannot be reached. */
  async resolve(id: string, signal: AbortSignal): Promise<Engine> {
    const known = this.#engines.get(id);
    if (known !== undefined && known.state !== 'healthy') throw unavailable(known.name, known.lastError);
    if (known !== undefined) return known;
    const found = await this.#search(id, signal);
    if (found === undefined) throw notFound('exec instance', id);
    this.remember(id, found);
    return found;
  }

  async #search(id: string, signal: AbortSignal): Promise<Engine | undefined> {
    const path = `/exec/${encodeURIComponent(id)}/json`;
    const rest = new AbortController();
    const either = AbortSignal.any([signal, rest.signal]);
    const ask = async (engine: Engine): Promise<Engine> => {
      await engine.client.request({ method: 'GET', path, signal: either, timeoutMs: searchTimeoutMs });
      return engine;
    };
    try {
      return await Promise.any(this.#healthyEngines().map((engine) => this.#limiter.run(() => ask(engine), either)));
    } catch {
      signal.throwIfAborted();
      return undefined;
    } finally {
      rest.abort();
    }
  }
}
