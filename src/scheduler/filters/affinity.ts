// Affinity and anti-affinity to what is on a node: containers by id or name, images, and any label of a container.
// `!=` means that nothing on the node matches. `container!=web*@zone` speaks of all nodes with the same label zone.
// The container that the new one takes the place of does not keep it away.
import { familiarReference } from '../../docker/image-reference.ts';
import { ContainerCounts } from '../container-counts.ts';
import type { Filter, Node, NodeContainer, PlacementRequest, Requirement } from '../contracts.ts';
import type { Expression } from '../expression.ts';
import { findContainerOn } from './find-container-on.ts';
import { replacedOn } from './replaced.ts';

export function createAffinityFilter(): Filter {
  const counts = new ContainerCounts();
  return {
    name: 'affinity',
    requirements: (request, nodes) =>
      request.affinities.map((expression) => ({
        ...affinity(expression, nodes, nodeMatcher(expression, request, counts)),
        key: isOfOneNode(expression, request) ? `affinity ${expression.text}` : undefined,
      })),
  };
}

/** Whether what decides is on the node itself: not elsewhere in its zone, an image, or the id of a container anywhere. */
function isOfOneNode({ key, zone, isLiteral, value }: Expression, { replaces }: PlacementRequest): boolean {
  if (zone !== undefined || replaces !== undefined || key === 'image') return false;
  return key !== 'container' || !isLiteral || !/^[0-9a-f]*$/.test(value);
}

function affinity(expression: Expression, nodes: readonly Node[], isMatch: (node: Node) => boolean): Requirement {
  const isWanted = expression.operator !== '!=';
  const hasMatch = expression.zone === undefined ? isMatch : zoneMatcher(expression.zone, nodes, isMatch);
  return {
    description: `${expression.text} (soft=${String(expression.isSoft)})`,
    soft: expression.isSoft,
    accepts: (node) => hasMatch(node) === isWanted,
    reason: () =>
      `${isWanted ? 'nothing' : 'something'} on ${placeText(expression)} matches affinity ${expression.text}`,
  };
}

function placeText({ zone }: Expression): string {
  return zone === undefined ? 'this node' : `the nodes of the same ${zone}`;
}

function zoneMatcher(label: string, nodes: readonly Node[], isMatch: (node: Node) => boolean): (node: Node) => boolean {
  const zones = new Set(nodes.filter(isMatch).map((node) => zoneOf(node, label)));
  return (node) => zones.has(zoneOf(node, label));
}

/** A node without the label is a zone of its own. */
function zoneOf(node: Node, label: string): string {
  const zone = node.labels[label];
  return zone === undefined ? `node ${node.id}` : `zone ${zone}`;
}

function nodeMatcher(
  expression: Expression,
  request: PlacementRequest,
  counts: ContainerCounts,
): (node: Node) => boolean {
  if (expression.key === 'image') return (node) => hasImage(node, expression);
  const replaced = (node: Node): string | undefined =>
    expression.operator === '!=' ? replacedOn(node, request)?.id : undefined;
  if (expression.key === 'container' && expression.isLiteral) {
    return (node) => hasNamed(node, expression.value, replaced(node));
  }
  const isMatch = containerMatcher(expression);
  if (request.replaces !== undefined) return (node) => hasContainer(node, isMatch, replaced(node));
  const count = counts.counter(expression.text, isMatch);
  return (node) => count(node) > 0;
}

function hasNamed(node: Node, reference: string, exceptId: string | undefined): boolean {
  const found = findContainerOn(node, reference);
  return found !== undefined && found.id !== exceptId;
}

function hasContainer(
  node: Node,
  isMatch: (container: NodeContainer) => boolean,
  exceptId: string | undefined,
): boolean {
  for (const container of node.containers()) if (isMatch(container) && container.id !== exceptId) return true;
  return false;
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
