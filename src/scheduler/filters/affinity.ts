// Affinity and anti-affinity to what is on a node: containers by id or name, images, and any label of a container.
// `!=` means that nothing on the node matches. `container!=web*@zone` speaks of all nodes with the same label zone.
// The container that the new one takes the place of does not keep it away.
import { familiarReference } from '../../docker/image-reference.ts';
import type { Filter, Node, NodeContainer, PlacementRequest, Requirement } from '../contracts.ts';
import type { Expression } from '../expression.ts';
import { findContainerOn } from './find-container-on.ts';
import { replacedOn } from './replaced.ts';

export const affinityFilter: Filter = {
  name: 'affinity',
  requirements: (request, nodes) => request.affinities.map((expression) => affinity(expression, request, nodes)),
};

function affinity(expression: Expression, request: PlacementRequest, nodes: readonly Node[]): Requirement {
  const isWanted = expression.operator !== '!=';
  const hasMatch = matcher(expression, request, nodes);
  return {
    description: `affinity ${expression.text}`,
    soft: expression.isSoft,
    accepts: (node) => hasMatch(node) === isWanted,
    reason: () =>
      `${isWanted ? 'nothing' : 'something'} on ${placeText(expression)} matches affinity ${expression.text}`,
  };
}

function placeText({ zone }: Expression): string {
  return zone === undefined ? 'this node' : `the nodes of the same ${zone}`;
}

function matcher(expression: Expression, request: PlacementRequest, nodes: readonly Node[]): (node: Node) => boolean {
  const hasMatch = nodeMatcher(expression, request);
  const { zone } = expression;
  if (zone === undefined) return hasMatch;
  const zones = new Set(nodes.filter(hasMatch).map((node) => zoneOf(node, zone)));
  return (node) => zones.has(zoneOf(node, zone));
}

/** A node without the label is a zone of its own. */
function zoneOf(node: Node, label: string): string {
  const zone = node.labels[label];
  return zone === undefined ? `node ${node.id}` : `zone ${zone}`;
}

function nodeMatcher(expression: Expression, request: PlacementRequest): (node: Node) => boolean {
  if (expression.key === 'image') return (node) => hasImage(node, expression);
  const isMatch = containerMatcher(expression);
  const isAntiAffinity = expression.operator === '!=';
  return (node) => {
    const ignored = isAntiAffinity ? replacedOn(node, request) : undefined;
    if (expression.key === 'container' && expression.isLiteral) {
      const found = findContainerOn(node, expression.value);
      return found !== undefined && found.id !== ignored?.id;
    }
    for (const container of node.containers()) if (isMatch(container) && container.id !== ignored?.id) return true;
    return false;
  };
}

function containerMatcher(expression: Expression): (container: NodeContainer) => boolean {
  const { key } = expression;
  if (key === 'container') return ({ id, name }) => expression.matches(name) || expression.matches(id);
  return ({ labels }) => {
    const value = labels[key];
    return value !== undefined && expression.matches(value);
  };
}

/** A pattern is compared with ids, `repository:tag` and `repository`, in the short spelling. */
function hasImage(node: Node, expression: Expression): boolean {
  if (expression.isLiteral && node.hasImage(expression.value)) return true;
  for (const reference of node.imageReferences()) {
    const familiar = familiarReference(reference);
    if (expression.matches(reference) || expression.matches(familiar)) return true;
    if (expression.matches(withoutTag(familiar))) return true;
  }
  return false;
}

function withoutTag(reference: string): string {
  return reference.replace(/[:@][^/]*$/, '');
}
