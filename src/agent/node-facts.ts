// What the agent tells of its node: read again and again, and told only when it differs. A source that cannot be read
// keeps its last word; numbers that always move are told in steps, so that they do not keep the store busy.
import { readFile } from 'node:fs/promises';
import { sleep } from '../common/abort.ts';
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { formatFacts, type TakenPort } from '../engine/announced-facts.ts';
import { maxFactsBytes } from '../../discovery/backend.ts';
import type { EngineView } from './engine-view.ts';
import { parseLabels, runLabelScript } from './labels.ts';
import { countGpus, ForeignPorts, readDiskPercent } from './machine.ts';

export interface NodeFactsOptions {
  /** '' for none. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly labelFile?: string | undefined;
  readonly labelScript?: string | undefined;
  readonly reservedNanoCpus: number;
  readonly reservedMemoryBytes: number;
  /** The engine of this very machine; absent: nothing of the machine is told. */
  readonly engine?: EngineView | undefined;
  readonly logger: Logger;
}

const fileEveryMs = 500;
const scriptEveryMs = 2_000;
const scriptTimeoutMs = 5_000;
const portsEveryMs = 1_000;
const diskEveryMs = 10_000;
const diskStepPercent = 5;

export class NodeFacts {
  readonly #options: NodeFactsOptions;
  readonly #logger: Logger;
  readonly #tasks: TaskSet;
  readonly #troubles = new Map<string, string>();
  #fileLabels: Readonly<Record<string, string>> = {};
  #scriptLabels: Readonly<Record<string, string>> = {};
  #ports: readonly TakenPort[] = [];
  #diskPercent = 0;
  #gpus = 0;
  #text = '';
  #tell: () => void = () => undefined;

  constructor(options: NodeFactsOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#tasks = new TaskSet(options.logger);
  }

  /** As they are announced; '' when there are none. */
  get text(): string {
    return this.#text;
  }

  /** Reads everything once, and keeps reading until `stop`. `tell` is called whenever `text` has changed after that. */
  async start(tell: () => void): Promise<void> {
    const sources = this.#sources();
    await Promise.all(sources.map((source) => this.#read(source)));
    this.#refresh();
    this.#tell = tell;
    for (const source of sources) this.#tasks.spawn(source.name, (signal) => this.#follow(source, signal));
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
  }

  #sources(): readonly Source[] {
    const { labelFile, labelScript, engine } = this.#options;
    return [
      ...(labelFile === undefined ? [] : [this.#fileSource(labelFile)]),
      ...(labelScript === undefined ? [] : [this.#scriptSource(labelScript)]),
      ...(engine === undefined ? [] : this.#machineSources(engine)),
    ];
  }

  #fileSource(path: string): Source {
    const read = async (): Promise<void> => {
      this.#fileLabels = parseLabels(await readFile(path, 'utf8'));
    };
    return { name: 'the file of labels', everyMs: fileEveryMs, read };
  }

  #scriptSource(path: string): Source {
    const read = async (signal: AbortSignal): Promise<void> => {
      this.#scriptLabels = parseLabels(await runLabelScript(path, scriptTimeoutMs, signal));
    };
    return { name: 'the script of labels', everyMs: scriptEveryMs, read };
  }

  #machineSources(engine: EngineView): readonly Source[] {
    const foreign = new ForeignPorts(engine);
    const readPorts = async (signal: AbortSignal): Promise<void> => {
      this.#ports = await foreign.read(signal);
    };
    const readDisk = async (signal: AbortSignal): Promise<void> => {
      const percent = (await readDiskPercent(engine, signal)) ?? 0;
      this.#diskPercent = percent - (percent % diskStepPercent);
    };
    const readGpus = async (): Promise<void> => {
      this.#gpus = await countGpus();
    };
    return [
      { name: 'the ports in use', everyMs: portsEveryMs, read: readPorts },
      { name: 'the disk of the engine', everyMs: diskEveryMs, read: readDisk },
      { name: 'the devices', everyMs: diskEveryMs, read: readGpus },
    ];
  }

  async #follow(source: Source, signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(source.everyMs, signal);
      if (signal.aborted) return;
      await this.#read(source);
      this.#refresh();
    }
  }

  async #read({ name, read }: Source): Promise<void> {
    try {
      await read(this.#tasks.signal);
      this.#troubles.delete(name);
    } catch (error) {
      this.#report(name, error);
    }
  }

  #refresh(): void {
    const { id, labels, reservedNanoCpus, reservedMemoryBytes } = this.#options;
    const found = this.#gpus === 0 ? {} : { gpu: String(this.#gpus) };
    const facts = {
      id,
      labels: { ...found, ...this.#scriptLabels, ...this.#fileLabels, ...labels },
      ports: this.#ports,
      diskPercent: this.#diskPercent,
      reservedNanoCpus,
      reservedMemoryBytes,
    };
    const before = this.#text;
    try {
      this.#text = formatFacts(facts, maxFactsBytes);
    } catch (error) {
      this.#report('the labels', error);
    }
    if (this.#text !== before) this.#tell();
  }

  /** A trouble is reported when it begins and when it changes. */
  #report(name: string, error: unknown): void {
    const reason = errorMessage(error);
    if (this.#tasks.signal.aborted || this.#troubles.get(name) === reason) return;
    this.#troubles.set(name, reason);
    this.#logger.warn(`${name} cannot be told`, { error: reason });
  }
}

interface Source {
  readonly name: string;
  readonly everyMs: number;
  readonly read: (signal: AbortSignal) => Promise<void>;
}
