import { specifyFilter } from '../specification.ts';

const amd64 = { ostype: 'linux', arch: 'x86_64' };
const arm64 = { ostype: 'linux', arch: 'aarch64' };

specifyFilter('platform', [
  {
    it: 'knows the names that engines and images give to processors',
    nodes: { a: { facts: amd64 }, b: { facts: arm64 } },
    run: '--platform linux/arm64/v8',
    on: 'b',
    because: { a: 'platform linux/arm64/v8 wanted, it is linux/amd64' },
  },
  {
    it: 'takes an operating system alone',
    nodes: { a: { facts: amd64 }, b: { facts: { ostype: 'windows', arch: 'x86_64' } } },
    run: '--platform linux',
    on: 'a',
  },
  {
    it: 'takes a processor alone',
    nodes: { a: { facts: amd64 }, b: { facts: arm64 } },
    run: '--platform amd64',
    on: 'a',
  },
  {
    it: 'leaves out no node of which it does not know',
    nodes: { a: {}, b: { facts: arm64 } },
    run: '--platform linux/amd64',
    on: 'a',
  },
  { it: 'takes any node without a platform', nodes: { a: { facts: amd64 }, b: { facts: arm64 } }, run: '', on: 'a b' },
]);
