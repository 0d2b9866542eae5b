// Where the local objects of a Compose project lie. Its networks and volumes must be on one node, or no container
// could use both.
import { RecentMap } from '../../common/recent-map.ts';
import type { Engine } from '../../engine/engine.ts';
import type { NodeView } from '../nodes/node-view.ts';
import { projectLabel } from '../swarm-labels.ts';

const maxRemembered = 1_000;

export class ProjectHomes {
  readonly #nodes: () => readonly NodeView[];
  /** Objects that are being created do not show in a mirror yet. */
  readonly #recent = new RecentMap<string, Engine>(maxRemembered);

  constructor(nodes: () => readonly NodeView[]) {
    this.#nodes = nodes;
  }

  /**
   * The node for a new network or volume with those labels: where the project's other objects are, else the least
   * loaded of the nodes that `accepts`. undefined when no healthy node is left.
   */
  choose(
    labels: Readonly<Record<string, string>>,
    accepts: (node: NodeView) => boolean = () => true,
  ): NodeView | undefined {
    const nodes = this.#nodes().filter((node) => node.refusal === undefined && accepts(node));
    const project = labels[projectLabel];
    if (project === undefined) return leastLoaded(nodes);
    const known = nodes.find((node) => node.engine === this.#recent.get(project));
    const home = known ?? nodes.find((node) => hasObjects(node, project)) ?? leastLoaded(nodes);
    if (home !== undefined) this.#recent.set(project, home.engine);
    return home;
  }
}

/** The node with the fewest active containers, then the fewest volumes and networks; undefined when none takes containers. */
export function leastLoaded(nodes: readonly NodeView[]): NodeView | undefined {
  const able = nodes.filter((node) => node.refusal === undefined);
  return able.reduce<NodeView | undefined>((best, node) => {
    if (best === undefined) return node;
    const difference = node.activeContainers - best.activeContainers || objectCount(node) - objectCount(best);
    return difference < 0 ? node : best;
  }, undefined);
}

function objectCount({ engine }: NodeView): number {
  return engine.mirror.volumes.size + engine.mirror.networks.size;
}

function hasObjects({ engine }: NodeView, project: string): boolean {
  const { networks, volumes, containers } = engine.mirror;
  for (const row of networks.values()) if (row.Labels?.[projectLabel] === project) return true;
  for (const row of volumes.values()) if (row.Labels?.[projectLabel] === project) return true;
  for (const { row } of containers.values()) if (row.Labels?.[projectLabel] === project) return true;
  return false;
}
