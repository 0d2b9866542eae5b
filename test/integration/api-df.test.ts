import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

interface Usage {
  readonly LayersSize: number;
  readonly Images: readonly { readonly Size: number; readonly VirtualSize?: number }[];
  readonly Containers: readonly { readonly Names: readonly string[]; readonly SizeRw: number }[];
  readonly Volumes: readonly { readonly Name: string; readonly UsageData: { readonly RefCount: number } }[];
  readonly BuildCache: readonly unknown[];
}

describe('disk usage over several nodes', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.41' }, { apiVersion: '1.51' }] });
    const Mounts = [{ Type: 'volume', Source: 'data', Target: '/data' }];
    for (const [index, engine] of shoal.engines.entries()) {
      engine.createDirectly({ name: `web-${index + 1}`, body: { HostConfig: { Mounts } } });
    }
    await until('all are seen', () => shoal.cluster.containers.newestFirst().flat().length === 2);
  });

  after(() => shoal.stop());

  async function usage(path = '/system/df'): Promise<Usage> {
    return (await shoal.api.get(path).expect(200)).body as Usage;
  }

  it('adds up images and lists the rest, under the names that the lists show', async () => {
    const { LayersSize, Images, Containers, Volumes, BuildCache } = await usage();
    assert.equal(Images.length, 1);
    assert.equal(Images[0]?.Size, LayersSize);
    assert.deepEqual(
      Containers.map(({ Names, SizeRw }) => [Names, SizeRw > 0]),
      [
        [['/web-1', '/node-1/web-1'], true],
        [['/web-2', '/node-2/web-2'], true],
      ],
    );
    assert.deepEqual(
      Volumes.map(({ Name, UsageData }) => [Name, UsageData.RefCount]),
      [
        ['data', 1],
        ['node-2/data', 1],
      ],
    );
    assert.deepEqual(BuildCache, []);
  });

  it('tells only of the types asked for, to clients that can ask', async () => {
    const some = await usage('/v1.42/system/df?type=container&type=volume');
    assert.deepEqual([some.LayersSize, some.Images, some.Containers.length, some.Volumes.length], [0, null, 2, 2]);
    assert.equal((await usage('/v1.41/system/df?type=container')).Images.length, 1);
    await shoal.api.get('/system/df?type=nope').expect(400, { message: 'unknown object type: nope' });
  });

  it('has the fields of the version of the client', async () => {
    assert.equal((await usage('/v1.43/system/df')).Images[0]?.VirtualSize !== undefined, true);
    assert.equal((await usage('/v1.44/system/df')).Images[0]?.VirtualSize !== undefined, false);
  });

  it('asks an engine once for questions that come together', async () => {
    const engine = shoal.engine('node-1');
    const asked = (): number => engine.requests.filter(({ path }) => path === '/system/df').length;
    const before = asked();
    engine.faults.delay(/system\/df/, 200, { times: 1 });
    await Promise.all([usage(), usage(), usage()]);
    assert.equal(asked() - before, 1);
  });

  it('does without a node that fails', async () => {
    shoal
      .engine('node-2')
      .faults.fail(/system\/df/, { status: 500, message: 'a disk usage operation is already running' });
    assert.equal((await usage()).Containers.length, 1);
    shoal.engine('node-2').faults.clear();
  });
});
