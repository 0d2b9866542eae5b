// A container that uses another one's volumes, network, processes or links must be on that one's node.
import type { Filter, Node, Requirement } from '../contracts.ts';
import { findContainerOn } from './find-container-on.ts';

export const dependencyFilter: Filter = {
  name: 'dependency',
  requirements: ({ dependencies }) => dependencies.map(besideRequirement),
};

function besideRequirement(reference: string): Requirement {
  return {
    description: `beside container ${reference}`,
    soft: false,
    accepts: (node: Node) => findContainerOn(node, reference) !== undefined,
    reason: () => `container ${reference}, which it depends on, is not on this node`,
  };
}
