// What operators set on nodes with `docker node update`: whether they take containers, and labels. It belongs to the
// node, not to its engine, outlives the manager in the store, and a change counts only on what its maker has seen.
import {
  StateConflict,
  type StateDocument,
  type StateFolder,
  type StateStore,
} from '../../../discovery/state-store.ts';
import { ApiError, errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { textMapMember, textMember } from '../../docker/go-member.ts';

/** `pause`: no new containers; `drain`: and those that may go are made anew elsewhere. */
export type Availability = 'active' | 'pause' | 'drain';

export interface NodeSettings {
  readonly availability: Availability;
  readonly labels: Readonly<Record<string, string>>;
}

export interface KnownSettings extends NodeSettings {
  /** Names what a change was made from; 0 while nothing was ever set. */
  readonly version: number;
  readonly changedAt: Date | undefined;
}

/** The same object for every node of which nothing was ever set. */
const untouched: KnownSettings = { availability: 'active', labels: {}, version: 0, changedAt: undefined };

const folder = 'nodes';

export interface NodeSettingsOptions {
  readonly store: StateStore;
  readonly logger: Logger;
  /** Called after the settings of some nodes have changed. */
  readonly onChange: (nodeIds: readonly string[]) => void;
}

export class NodeSettingsBook {
  readonly #options: NodeSettingsOptions;
  #known: ReadonlyMap<string, KnownSettings> = new Map();

  constructor(options: NodeSettingsOptions) {
    this.#options = options;
  }

  /** The same object until the node's settings change. */
  of(nodeId: string): KnownSettings {
    return this.#known.get(nodeId) ?? untouched;
  }

  /** Replaces all settings of a node. Throws 500 in swarm mode's words when `seenVersion` is not the newest. */
  async update(nodeId: string, seenVersion: number, settings: NodeSettings, signal: AbortSignal): Promise<void> {
    const changedAt = new Date();
    const { availability, labels } = settings;
    const text = JSON.stringify({ availability, labels, changedAt: changedAt.toISOString() });
    const version = await this.#guarded(() =>
      this.#options.store.write({ folder, key: nodeId }, { text, seenVersion }, signal),
    );
    this.#adopt(new Map(this.#known).set(nodeId, { availability, labels, version, changedAt }));
    this.#options.logger.info('a node was changed', { node: nodeId, availability, labels });
  }

  /** As if nothing had ever been set. */
  async forget(nodeId: string, signal: AbortSignal): Promise<void> {
    const { version } = this.of(nodeId);
    await this.#guarded(() => this.#options.store.remove({ folder, key: nodeId }, version, signal));
    const known = new Map(this.#known);
    known.delete(nodeId);
    this.#adopt(known);
  }

  /** Follows the store until `signal` aborts; `onRead` is called once it has been read for the first time. */
  async follow(signal: AbortSignal, onRead: () => void): Promise<void> {
    for await (const read of this.#options.store.watch(folder, signal)) {
      this.#adopt(this.#merged(read));
      onRead();
    }
  }

  /** A reading that began before a change of our own must not undo it. */
  #merged({ documents, version }: StateFolder): ReadonlyMap<string, KnownSettings> {
    const newer = [...this.#known].filter(([, known]) => known.version > version);
    return new Map([...[...documents].map(([key, document]) => [key, parseSettings(document)] as const), ...newer]);
  }

  #adopt(settings: ReadonlyMap<string, KnownSettings>): void {
    const before = this.#known;
    const isSame = (id: string): boolean => before.get(id)?.version === settings.get(id)?.version;
    const changed = [...new Set([...before.keys(), ...settings.keys()])].filter((id) => !isSame(id));
    if (changed.length === 0) return;
    this.#known = settings;
    this.#options.onChange(changed);
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StateConflict)
        throw new ApiError(500, 'rpc error: code = Unknown desc = update out of sequence', { cause: error });
      throw new ApiError(503, `the settings of nodes cannot be kept: ${errorMessage(error)}`, { cause: error });
    }
  }
}

export function isAvailability(text: string): text is Availability {
  return text === 'active' || text === 'pause' || text === 'drain';
}

/** What cannot be understood counts as not set. */
function parseSettings({ text, version }: StateDocument): KnownSettings {
  const value = parseJson(text);
  const availability = textMember(value, 'availability');
  const changedAt = new Date(textMember(value, 'changedAt'));
  return {
    availability: isAvailability(availability) ? availability : 'active',
    labels: textMapMember(value, 'labels'),
    version,
    changedAt: Number.isNaN(changedAt.getTime()) ? undefined : changedAt,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
