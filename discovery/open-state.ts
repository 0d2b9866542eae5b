// Where a manager keeps its state: in the file that is named, else in the store of the discovery where that can keep
// it, else beside the registry's file, else in memory.
import type { Logger } from '../src/common/logger.ts';
import { openSharedKeys } from './index.ts';
import { openLocalState } from './state/local.ts';
import { SharedState } from './state/shared.ts';
import type { StateStore } from './state-store.ts';

export interface OpenStateOptions {
  /** Undefined: embedded. */
  readonly discovery: string | undefined;
  readonly discoveryOpts: Readonly<Record<string, string>>;
  readonly stateFile: string | undefined;
  readonly registryFile: string | undefined;
  readonly logger: Logger;
}

export interface OpenedState {
  readonly state: StateStore;
  /** For what changes with each create, where there is no store in a file of its own; undefined where nothing outlives the manager. */
  readonly creates: StateStore | undefined;
}

/** Throws a 400 of one line for a file that cannot be read, and as `openDiscovery`. */
export function openState(options: OpenStateOptions): OpenedState {
  const { discovery, discoveryOpts, stateFile, registryFile, logger } = options;
  const keys = discovery === undefined ? undefined : openSharedKeys(discovery, { discoveryOpts, logger });
  const shared = keys && new SharedState({ ...keys, logger });
  if (stateFile === undefined && shared !== undefined) return { state: shared, creates: shared };
  const registry = discovery === undefined ? registryFile : undefined;
  const path = stateFile ?? (registry && `${registry}.state`);
  const beside = stateFile ?? registry;
  const creates = beside === undefined ? undefined : openLocalState({ path: `${beside}.creates`, logger });
  return { state: openLocalState({ path, logger }), creates: shared ?? creates };
}
