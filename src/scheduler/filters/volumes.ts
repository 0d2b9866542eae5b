// A named volume that exists holds data: whoever mounts it goes to a node that has it.
import type { Filter } from '../contracts.ts';
import { locatedRequirement } from './located.ts';

export const volumesFilter: Filter = {
  name: 'volumes',
  requirements: ({ volumes }, nodes) =>
    volumes.flatMap((name) => locatedRequirement(`volume ${name}`, nodes, (node) => node.hasVolume(name))),
};
