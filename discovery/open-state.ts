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

/** Throws a 400 of one line for a file that cannot be read, and as `openDiscovery`. */
export function openState(options: OpenStateOptions): StateStore {
  const { discovery, discoveryOpts, stateFile, registryFile, logger } = options;
  if (stateFile !== undefined) return openLocalState({ path: stateFile, logger });
  const keys = discovery === undefined ? undefined : openSharedKeys(discovery, { discoveryOpts, logger });
  if (keys !== undefined) return new SharedState({ ...keys, logger });
  const beside = discovery === undefined && registryFile !== undefined ? `${registryFile}.state` : undefined;
  return openLocalState({ path: beside, logger });
}
