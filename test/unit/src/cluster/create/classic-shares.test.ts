import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withClassicCores, withClassicShares } from '../../../../../src/cluster/create/classic-shares.ts';

describe('shares as cores', () => {
  const cases: readonly { title: string; host: object; cpus: number; expected: object }[] = [
    { title: 'become half the weight on two cores', host: { CpuShares: 1 }, cpus: 2, expected: { CpuShares: 512 } },
    { title: 'are rounded up', host: { CpuShares: 1 }, cpus: 3, expected: { CpuShares: 342 } },
    { title: 'keep the spelling they have', host: { cpushares: 2 }, cpus: 4, expected: { cpushares: 512 } },
    { title: 'stay as they are when none are asked for', host: { CpuShares: 0 }, cpus: 2, expected: { CpuShares: 0 } },
    {
      title: 'stay as they are beside --cpus',
      host: { CpuShares: 3, NanoCpus: 1e9 },
      cpus: 2,
      expected: { CpuShares: 3, NanoCpus: 1e9 },
    },
    {
      title: 'stay as they are while the cores of the engine are unknown',
      host: { CpuShares: 3 },
      cpus: 0,
      expected: { CpuShares: 3 },
    },
  ];
  for (const { title, host, cpus, expected } of cases) {
    it(title, () => {
      assert.deepEqual(withClassicShares({ Image: 'busybox', HostConfig: host }, cpus), {
        Image: 'busybox',
        HostConfig: expected,
      });
    });
  }

  it('are read back as the cores that were asked for, from engines of any size', () => {
    for (const cpus of [1, 2, 3, 5, 7, 64]) {
      for (const cores of [1, 2, 3].filter((count) => count <= cpus)) {
        const body = { Image: 'busybox', HostConfig: { CpuShares: cores } };
        assert.deepEqual(withClassicCores(withClassicShares(body, cpus), cpus), body, `${cores} of ${cpus}`);
      }
    }
  });

  it('leave a body without a host part alone', () => {
    const body = { Image: 'busybox' };
    assert.equal(withClassicShares(body, 2), body);
  });
});
