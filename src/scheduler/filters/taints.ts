// The engine label `dedicated=x` keeps a node for those who ask for it: a container comes there only with
// `constraint:dedicated==x`, or with `toleration:dedicated==x`, which allows the node without demanding it.
import type { Filter, PlacementRequest } from '../contracts.ts';

const taint = 'dedicated';

export const taintsFilter: Filter = {
  name: 'taints',
  requirements: (request) => [
    {
      description: 'a node that is not dedicated to others',
      soft: false,
      accepts: ({ labels }) => labels[taint] === undefined || isTolerated(labels[taint], request),
      reason: ({ labels }) => {
        const rule = `${taint}==${labels[taint] ?? ''}`;
        return `it is kept for containers with constraint:${rule} or toleration:${rule}`;
      },
    },
  ],
};

function isTolerated(value: string, { constraints, tolerations }: PlacementRequest): boolean {
  return [...constraints, ...tolerations].some(
    ({ key, operator, matches }) => key === taint && operator === '==' && matches(value),
  );
}
