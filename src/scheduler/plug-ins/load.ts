// Loads filters and strategies that users wrote: modules, ESM or CommonJS, named by a path or a file URL where a
// built-in name could stand.
import { pathToFileURL } from 'node:url';
import { errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Filter, Strategy } from '../contracts.ts';
import { allFilterNames } from '../filters/names.ts';
import { isStrategyName } from '../strategies/index.ts';
import { guardedFilter, guardedStrategy } from './guarded.ts';
import { PlugInWatch } from './watch.ts';

/** Rejects with an Error of one line that says what is expected of `reference`. */
export async function loadFilter(reference: string, logger: Logger): Promise<Filter> {
  const filter = await load<Filter>(reference, { kind: 'filter', method: 'requirements' });
  if (allFilterNames.includes(filter.name)) throw taken(reference, filter.name);
  return guardedFilter(filter, new PlugInWatch(`filter "${filter.name}" (${reference})`, logger));
}

/** Rejects as `loadFilter` does. */
export async function loadStrategy(reference: string, logger: Logger): Promise<Strategy> {
  const strategy = await load<Strategy>(reference, { kind: 'strategy', method: 'rank' });
  if (isStrategyName(strategy.name)) throw taken(reference, strategy.name);
  return guardedStrategy(strategy, new PlugInWatch(`strategy "${strategy.name}" (${reference})`, logger));
}

interface Shape {
  readonly kind: 'filter' | 'strategy';
  readonly method: 'requirements' | 'rank';
}

async function load<T>(reference: string, shape: Shape): Promise<T> {
  const exported = await importModule(reference, shape);
  const { default: ofDefault } = exported;
  const found = [exported[shape.kind], memberOf(ofDefault, shape.kind), ofDefault].find((item) =>
    hasShape(item, shape),
  );
  if (found === undefined) throw notOfShape(reference, shape, 'it exports none');
  return found as T;
}

async function importModule(reference: string, shape: Shape): Promise<Readonly<Record<string, unknown>>> {
  const url = reference.startsWith('file:') ? reference : pathToFileURL(reference).href;
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const [firstLine = ''] = errorMessage(error).split('\n');
    throw notOfShape(reference, shape, firstLine, error);
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function hasShape(value: unknown, { method }: Shape): boolean {
  const name = memberOf(value, 'name');
  return typeof name === 'string' && name !== '' && typeof memberOf(value, method) === 'function';
}

function notOfShape(reference: string, { kind, method }: Shape, fault: string, cause?: unknown): Error {
  const expected = `an object with "name" (text) and "${method}" (function) as its default export or as "${kind}"`;
  return new Error(`${reference} must be a module with a ${kind}, ${expected}: ${fault}`, { cause });
}

function taken(reference: string, name: string): Error {
  return new Error(`${reference} must have a name of its own, "${name}" is built in`);
}
