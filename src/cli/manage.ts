// `shoal manage`: runs a manager until it is told to stop.
import { aborted } from '../common/abort.ts';
import type { RulesFile } from '../authorization/rules-file.ts';
import { ApiError, errorMessage } from '../common/errors.ts';
import { createLogger, type Logger } from '../common/logger.ts';
import { appendTo, AuditLog, type Append } from '../manager/audit-log.ts';
import { Manager, type ManagerOptions } from '../manager/manager.ts';
import type { Filter } from '../scheduler/contracts.ts';
import { loadFilter, loadStrategy } from '../scheduler/plug-ins/load.ts';
import { isPlugIn } from '../scheduler/plug-ins/reference.ts';
import type { ManageOptions } from './manage-command.ts';
import { UsageError } from './usage-error.ts';

export interface ManageSurroundings {
  readonly version: string;
  readonly out: (text: string) => void;
  readonly stop: AbortSignal;
}

/** Resolves after an orderly stop; rejects when the manager cannot start, with a UsageError for a plug-in that is none. */
export async function runManage(options: ManageOptions, { version, out, stop }: ManageSurroundings): Promise<void> {
  const { cluster, corsEnabled, nodePrefix, strategy, filters, rules, auditLog, ...rest } = options;
  const logger = createLogger(options.logLevel);
  const plugIns = {
    strategy: isPlugIn(strategy) ? await ofFlag('--strategy', loadStrategy(strategy, logger)) : undefined,
    filters: await loadFilters(filters, logger),
  };
  const manager = createManager({
    ...rest,
    ...cluster,
    strategy,
    filters,
    plugIns,
    rules: rules === undefined ? undefined : await ofFlag('--rules', openRules(rules, logger)),
    audit:
      auditLog === undefined
        ? undefined
        : new AuditLog(auditLog === '-' ? appendToOutput(out) : appendTo(auditLog), logger),
    version,
    logger,
    allowsEveryOrigin: corsEnabled,
    prefixesNamesWithNode: nodePrefix,
  });
  await manager.start();
  await aborted(stop);
  logger.info('the manager stops');
  await manager.stop();
}

/** What does not go together is a mistake on the command line. */
function createManager(options: ManagerOptions): Manager {
  try {
    return new Manager(options);
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) throw new UsageError(error.message);
    throw error;
  }
}

async function openRules(path: string, logger: Logger): Promise<RulesFile> {
  // Its parser is loaded by those alone who have rules.
  const { RulesFile: File } = await import('../authorization/rules-file.ts');
  return new File(path, logger);
}

function appendToOutput(out: (text: string) => void): Append {
  return (lines) => {
    out(lines);
    return Promise.resolve();
  };
}

async function loadFilters(names: readonly string[], logger: Logger): Promise<ReadonlyMap<string, Filter>> {
  const loaded = new Map<string, Filter>();
  for (const name of names.filter(isPlugIn)) loaded.set(name, await ofFlag('--filter', loadFilter(name, logger)));
  return loaded;
}

async function ofFlag<T>(flag: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    throw new UsageError(`${flag}: ${errorMessage(error)}`);
  }
}
