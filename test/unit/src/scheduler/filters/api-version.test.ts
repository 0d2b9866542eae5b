import { specifyFilter } from '../specification.ts';

specifyFilter('apiversion', [
  {
    it: 'leaves out engines that would misread what is asked for',
    nodes: { a: { maxApiVersion: '1.41' }, b: { maxApiVersion: '1.45' } },
    run: '--mount type=volume,source=data,volume-subpath=x',
    on: 'b',
    because: { a: 'API version 1.45 is needed, it has 1.41' },
  },
  {
    it: 'leaves out none for what every engine knows',
    nodes: { a: { maxApiVersion: '1.41' }, b: { maxApiVersion: '1.45' } },
    run: '--mount type=volume,source=data',
    on: 'a b',
  },
]);
