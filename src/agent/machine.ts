// What the agent reads of the machine that its engine runs on: ports of foreign programs, the disk of the engine, GPUs.
import { readdir, statfs } from 'node:fs/promises';
import type { TakenPort } from '../engine/announced-facts.ts';
import type { EngineView } from './engine-view.ts';
import { portKey, readListeningPorts } from './listening-ports.ts';

/** A port whose container is just starting looks foreign for a moment: it counts when it does so twice. */
export class ForeignPorts {
  readonly #engine: EngineView;
  #last = '';
  #suspects: ReadonlySet<string> = new Set();
  #looksLeft = 0;
  #found: readonly TakenPort[] = [];

  constructor(engine: EngineView) {
    this.#engine = engine;
  }

  /** The ports that somebody listens on, but for those of containers. The engine is asked only after a change, and now and then. */
  async read(signal: AbortSignal): Promise<readonly TakenPort[]> {
    const listening = await readListeningPorts();
    const now = listening.map(portKey).join(' ');
    if (now !== this.#last) this.#looksLeft = looksAfterChange;
    else if (this.#looksLeft === -looksWithoutChange) this.#looksLeft = 1;
    this.#looksLeft -= 1;
    if (this.#looksLeft < 0) return this.#found;
    const published = new Set((await this.#engine.publishedPorts(signal)).map(anywhere));
    const unexplained = listening.filter((port) => !published.has(anywhere(port)));
    this.#found = unexplained.filter((port) => this.#suspects.has(portKey(port)));
    this.#suspects = new Set(unexplained.map(portKey));
    this.#last = now;
    return this.#found;
  }
}

const looksAfterChange = 2;
const looksWithoutChange = 10;

function anywhere({ protocol, port }: TakenPort): string {
  return `${protocol}/${port}`;
}

/** How full the disk of the engine's data is, as `df` counts, in whole percent; undefined where it is not to be seen from here. */
export async function readDiskPercent(engine: EngineView, signal: AbortSignal): Promise<number | undefined> {
  const root = await engine.dataRoot(signal);
  if (root === undefined) return undefined;
  const { blocks, bfree, bavail } = await statfs(root);
  const used = blocks - bfree;
  return used + bavail === 0 ? undefined : Math.floor((100 * used) / (used + bavail));
}

/** The GPUs whose device nodes the driver of NVIDIA has made. */
export async function countGpus(devices = '/dev'): Promise<number> {
  const names = await readdir(devices);
  return names.filter((name) => /^nvidia\d+$/.test(name)).length;
}
