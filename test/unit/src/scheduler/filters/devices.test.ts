import { specifyFilter } from '../specification.ts';

specifyFilter('devices', [
  {
    it: 'goes where there are enough GPUs',
    nodes: { a: { resources: { gpu: 1 } }, b: { resources: { gpu: 2 } }, c: {} },
    run: '--gpus 2',
    on: 'b',
    because: { a: '2 gpu wanted, 1 available', c: '2 gpu wanted, 0 available' },
  },
  {
    it: 'leaves the GPUs to the containers that have them, by number or by device, but not to stopped ones',
    nodes: {
      a: { resources: { gpu: 4 }, runs: ['--gpus 3'] },
      b: { resources: { gpu: 2, 'device/nvidia.com/gpu=0': 1 }, runs: ['--device nvidia.com/gpu=0'] },
      c: { resources: { gpu: 2 }, stopped: ['--gpus 2'] },
      d: { resources: { gpu: 8 }, runs: ['--gpus all'] },
    },
    run: '--gpus 2',
    on: 'c',
    because: { a: '2 gpu wanted, 1 available', d: '2 gpu wanted, 0 available' },
  },
  {
    it: 'takes all GPUs only where there is one and none is in use',
    nodes: { a: { resources: { gpu: 2 }, runs: ['--gpus 1'] }, b: { resources: { gpu: 1 } }, c: {} },
    run: '--gpus all',
    on: 'b',
    because: { a: 'all gpu wanted, 1 available', c: 'all gpu wanted, 0 available' },
  },
  {
    it: 'shares runtimes, and GPUs that the node cannot count',
    nodes: { a: { resources: { 'runtime/nvidia': 1, gpu: Infinity }, runs: ['--runtime nvidia --gpus all'] } },
    run: '--runtime nvidia --gpus all',
    on: 'a',
  },
  {
    it: 'goes where a device is, which can be shared',
    nodes: { a: { resources: { 'device/vendor.com/net=eth0': 1 }, runs: ['--device vendor.com/net=eth0'] }, b: {} },
    run: '--device vendor.com/net=eth0',
    on: 'a',
    because: { b: '1 device/vendor.com/net=eth0 wanted, 0 available' },
  },
  {
    it: 'goes where the runtime is, if it is one that not every engine has',
    nodes: { a: { resources: { 'runtime/kata': 1 } }, b: {} },
    run: '--runtime kata',
    on: 'a',
    because: { b: '1 runtime/kata wanted, 0 available' },
  },
  {
    it: 'asks for nothing with the runtime of every engine',
    nodes: { a: {}, b: {} },
    run: '--runtime runc',
    on: 'a b',
  },
]);
