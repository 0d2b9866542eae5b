// Fields that an older engine would silently leave out need an engine that knows them.
import { compareApiVersion } from '../../docker/api-version.ts';
import type { Filter } from '../contracts.ts';

export const apiVersionFilter: Filter = {
  name: 'apiversion',
  requirements: ({ minimumApiVersion: minimum }) => {
    if (minimum === undefined) return [];
    return [
      {
        description: `API version ${minimum} or newer`,
        soft: false,
        accepts: (node) => compareApiVersion(node.apiVersion.max, minimum) >= 0,
        reason: (node) => `API version ${minimum} is needed, it has ${node.apiVersion.max}`,
      },
    ];
  },
};
