// Where a manager keeps its state: in the file that is named, else in the store of the discovery where that can keep
// it, else beside the registry's file, else in memory.
import type { Logger } from '../src/common/logger.ts';
import { consulOptionsOf } from './index.ts';
import { ConsulState } from './state/consul.ts';
import { openLocalState } from './state/local.ts';
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
  const consul =
    discovery === undefined ? undefined : consulOptionsOf(discovery, { role: 'manager', discoveryOpts, logger });
  if (consul !== undefined) return new ConsulState(consul);
  const beside = discovery === undefined && registryFile !== undefined ? `${registryFile}.state` : undefined;
  return openLocalState({ path: beside, logger });
}
