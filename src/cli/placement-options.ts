// The flags that say how a manager chooses nodes: strategy, filters and the cluster options of docker/classicswarm.
import { Option, type Command } from 'commander';
import { filterNames } from '../scheduler/filters/names.ts';
import { isPlugIn } from '../scheduler/plug-ins/reference.ts';
import { clusterOptions, type ClusterOptions } from './cluster-options.ts';
import { collected, keyValue, oneOf } from './values.ts';

export interface PlacementOptions {
  readonly strategy: string;
  readonly filters: readonly string[];
  readonly cluster: ClusterOptions;
}

export interface PlacementFlags {
  readonly strategy: string;
  readonly filter: readonly string[];
  readonly clusterOpt: readonly (readonly [string, string])[];
}

export function addPlacement(command: Command): void {
  command
    .option(
      '--strategy <name>',
      'spread, binpack, random, spread:<label> or a module, such as ./my.js',
      strategyName,
      'spread',
    )
    .option(
      '-f, --filter <name>',
      `use only these filters; may be repeated (${filterNames.join(', ')}, or a module, such as ./my.js)`,
      collected(filterName),
      filterNames,
    )
    .option(
      '--cluster-opt <key=value>',
      'swarm.overcommit=0.05, swarm.createretry=0, swarm.createdoubt=30s, swarm.cpumode=engine, swarm.load=active, swarm.spreadreplicas=on',
      collected(keyValue),
      [],
    )
    .addOption(new Option('-c, --cluster-driver <name>').argParser(oneOf(['swarm'])).hideHelp());
}

/** Throws a UsageError for a cluster option that is none. */
export function placementOptions({ strategy, filter, clusterOpt }: PlacementFlags): PlacementOptions {
  return { strategy, filters: filter, cluster: clusterOptions(clusterOpt) };
}

/** `spread:<label>` spreads over the values of an engine label. */
function strategyName(text: string): string {
  if (/^spread:.+/.test(text) || isPlugIn(text)) return text;
  return oneOf(['spread', 'binpack', 'random', 'spread:<label>', './MODULE.js'], { binpacking: 'binpack' })(text);
}

function filterName(text: string): string {
  return isPlugIn(text) ? text : oneOf([...filterNames, './MODULE.js'])(text);
}
