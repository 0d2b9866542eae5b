// What there is on the engines, asked of each at its own socket on its machine, where no partition and no manager counts.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { elements, field, text } from '../document.ts';
import type { RigEngine } from '../rig/engine.ts';
import { httpCall } from '../rig/http-call.ts';
import { nonceLabel, type FinalState, type ManagerView, type SeenContainer, type SeenVolume } from './history.ts';
import type { Scene } from './scene.ts';

const everyMs = 1_000;
const timeoutMs = 5_000;

export class Onlooker {
  readonly #scene: Scene;
  readonly #containers = new Map<string, SeenContainer>();
  readonly #volumes = new Map<string, SeenVolume>();
  readonly #ended = new AbortController();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get everSeen(): readonly SeenContainer[] {
    return [...this.#containers.values()];
  }

  get everVolumes(): readonly SeenVolume[] {
    return [...this.#volumes.values()];
  }

  start(): void {
    this.#looking = Promise.all(this.#scene.engines.map((engine) => this.#follow(engine)));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#looking;
  }

  async #follow(engine: RigEngine): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        for (const container of await containersOf(engine))
          this.#containers.set(`${container.node} ${container.id}`, container);
        for (const volume of await volumesOf(engine)) {
          const key = `${volume.node} ${volume.name}`;
          if (this.#volumes.get(key)?.content === undefined) this.#volumes.set(key, volume);
        }
      } catch {
        // It is off, hangs or is just starting.
      }
      await delay(everyMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }
}

/** Rejects when an engine or a manager does not answer. */
export async function lookAtEnd(scene: Scene): Promise<FinalState> {
  const views = await Promise.all([...scene.managers.keys()].map((name) => viewOf(scene, name)));
  const containers = await Promise.all(scene.engines.map(containersOf));
  const volumes = await Promise.all(scene.engines.map(volumesOf));
  return { containers: containers.flat(), volumes: volumes.flat(), views };
}

async function viewOf(scene: Scene, manager: string): Promise<ManagerView> {
  const { json } = await scene.manager(manager).api('GET', '/containers/json?all=1&strict=1');
  return { manager, containers: elements(json).map((row) => ({ id: text(row, 'Id'), name: nameOf(row) })) };
}

async function containersOf(engine: RigEngine): Promise<readonly SeenContainer[]> {
  const rows = elements(await ask(engine, '/containers/json?all=1'));
  return rows.map((row) => {
    const nonce = field(row, 'Labels', nonceLabel);
    return {
      node: engine.name,
      id: text(row, 'Id'),
      name: nameOf(row),
      nonce: typeof nonce === 'string' ? nonce : '',
      isRunning: text(row, 'State') === 'running',
    };
  });
}

async function volumesOf(engine: RigEngine): Promise<readonly SeenVolume[]> {
  const volumes = field(await ask(engine, '/volumes'), 'Volumes');
  return (Array.isArray(volumes) ? (volumes as unknown[]) : []).map((volume) => {
    const name = text(volume, 'Name');
    return {
      node: engine.name,
      name,
      content: contentOf(`${engine.machine.engineDataDirectory}/volumes/${name}/_data/nonce`),
    };
  });
}

/** A file that is just being written is empty. */
function contentOf(path: string): string | undefined {
  try {
    const content = readFileSync(path, 'utf8').trim();
    return content === '' ? undefined : content;
  } catch {
    return undefined;
  }
}

function nameOf(row: unknown): string {
  return text(row, 'Names', 0).replace(/^\//, '');
}

async function ask(engine: RigEngine, path: string): Promise<unknown> {
  const socketPath = `/proc/${engine.machine.pid}/root/run/docker.sock`;
  const { status, json } = await httpCall({ method: 'GET', url: `http://localhost${path}`, socketPath, timeoutMs });
  if (status !== 200) throw new Error(`${engine.name} answered ${status} to ${path}`);
  return json;
}
