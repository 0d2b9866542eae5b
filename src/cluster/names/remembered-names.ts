// What each node had when it was last read, by name, in a file that outlives the manager: one that starts while a node
// is down knows from it which names are taken there. Only ever a reason to refuse a name, never the truth about a node.
import { readFileSync } from 'node:fs';
import { sleep } from '../../common/abort.ts';
import { errorCode, errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { replaceFile } from '../../common/replace-file.ts';
import { goMember, isWireObject, textListMember } from '../../docker/go-member.ts';
import { isPredefinedNetwork } from '../../docker/predefined-networks.ts';
import type { Engine } from '../../engine/engine.ts';

export type NamedKind = 'container' | 'volume' | 'network';

type NodeNames = Readonly<Record<NamedKind, readonly string[]>>;

/** A name that is given and lost in the same two seconds is forgotten. */
const saveIntervalMs = 2_000;
/** As engines call anonymous volumes: nobody asks for such a name. */
const anonymousVolume = /^[0-9a-f]{64}$/;

export class RememberedNames {
  readonly #path: string;
  readonly #logger: Logger;
  /** By address. */
  readonly #nodes: Map<string, NodeNames>;
  #isSaved = true;
  #saving = Promise.resolve();
  readonly #revisions = new WeakMap<Engine, number>();

  /** Reads the file; one that is not there, or cannot be read, remembers nothing. */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#nodes = readNodes(path, logger);
  }

  /** Whether the node at `address` had it; undefined for a node that is not remembered. */
  hadName(address: string, kind: NamedKind, name: string): boolean | undefined {
    return this.#nodes.get(address)?.[kind].includes(name);
  }

  /** Keeps the file equal to what the members have, until `signal` aborts. */
  async run(engines: () => readonly Engine[], signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(saveIntervalMs, signal);
      if (signal.aborted) return;
      await this.save(engines());
    }
  }

  /** The node has left: its names are free. */
  forget(address: string): void {
    this.#isSaved = !this.#nodes.delete(address) && this.#isSaved;
  }

  /** What members that do not answer had stays as it was. */
  save(engines: readonly Engine[]): Promise<void> {
    for (const engine of engines) this.#read(engine);
    this.#saving = this.#saving.then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    if (this.#isSaved) return;
    this.#isSaved = true;
    try {
      await replaceFile(this.#path, textOf(this.#nodes));
    } catch (error) {
      this.#isSaved = false;
      this.#logger.warn('the names cannot be saved', { path: this.#path, error: errorMessage(error) });
    }
  }

  #read(engine: Engine): void {
    const { address, mirror, state } = engine;
    if (state !== 'healthy' || this.#revisions.get(engine) === mirror.revision) return;
    this.#revisions.set(engine, mirror.revision);
    this.#isSaved = false;
    this.#nodes.set(address, {
      container: [...mirror.containers.values()].map(({ name }) => name).sort(),
      volume: [...mirror.volumes.keys()].filter((name) => !anonymousVolume.test(name)).sort(),
      network: [...mirror.networks.values()]
        .filter(({ Name, Scope }) => Scope === 'local' && !isPredefinedNetwork(Name))
        .map(({ Name }) => Name)
        .sort(),
    });
  }
}

function textOf(nodes: ReadonlyMap<string, NodeNames>): string {
  return `${JSON.stringify({ version: 1, nodes: Object.fromEntries(nodes) })}\n`;
}

function readNodes(path: string, logger: Logger): Map<string, NodeNames> {
  try {
    return parseNodes(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT')
      logger.warn('the remembered names cannot be read', { path, error: errorMessage(error) });
    return new Map();
  }
}

function parseNodes(state: unknown): Map<string, NodeNames> {
  const nodes = goMember(state, 'nodes');
  if (!isWireObject(nodes)) throw new Error('no nodes');
  return new Map(
    Object.entries(nodes).map(([address, names]) => [
      address,
      {
        container: textListMember(names, 'container'),
        volume: textListMember(names, 'volume'),
        network: textListMember(names, 'network'),
      },
    ]),
  );
}
