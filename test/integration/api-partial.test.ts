import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const lists = ['/containers/json?all=1', '/images/json', '/volumes', '/networks', '/system/df', '/info'];

describe('answers that cannot be whole', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
    for (const engine of shoal.engines) engine.createDirectly({ name: `on-${engine.name}` });
    await until('all are seen', () => shoal.cluster.containers.newestFirst().flat().length === 3);
  });

  after(() => shoal.stop());

  async function headerOf(path: string): Promise<string | undefined> {
    const { headers } = await shoal.api.get(path).expect(200);
    return (headers as Readonly<Record<string, string | undefined>>)['x-cluster-partial'];
  }

  it('are not said to be partial while all nodes answer', async () => {
    for (const path of lists) assert.equal(await headerOf(path), undefined, path);
    await shoal.api.get('/volumes?strict=1').expect(200);
    assert.equal(((await shoal.api.get('/volumes')).body as { Warnings: unknown }).Warnings, null);
  });

  describe('while a node is silent', () => {
    before(async () => {
      await shoal.engine('node-2').faults.refuse();
      await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 2);
    });

    after(async () => {
      await shoal.engine('node-2').faults.accept();
      await shoal.untilHealthy();
    });

    for (const path of lists) {
      it(`name it and the age of its data: ${path}`, async () => {
        assert.match((await headerOf(path)) ?? '', /^node-2;age=\d+s$/);
        const separator = path.includes('?') ? '&' : '?';
        const answer = await shoal.api.get(`${path}${separator}strict=1`).expect(503);
        assert.match((answer.body as { message: string }).message, /^the answer would be partial: node-2;age=\d+s$/);
      });
    }

    it('name it at the head of the events', async () => {
      assert.match((await headerOf('/events?until=1')) ?? '', /^node-2;age=\d+s$/);
    });

    it('warn where there is room for it', async () => {
      const { Warnings: ofVolumes } = (await shoal.api.get('/volumes')).body as { Warnings: readonly string[] };
      assert.match(ofVolumes.join(), /^node node-2 does not answer; its volumes are shown as of \d+s ago$/);
      const { Warnings: ofInfo } = (await shoal.api.get('/info')).body as { Warnings: readonly string[] };
      assert.match(ofInfo.join(), /node node-2 .* is unhealthy: .* \(what is shown of it is \d+s old\)/);
    });

    it('keep its containers', async () => {
      const rows = (await shoal.api.get('/containers/json?all=1')).body as { Names: string[]; Status: string }[];
      const lost = rows.filter(({ Status }) => Status === 'Host Down');
      assert.deepEqual(
        lost.map(({ Names }) => Names[0]),
        ['/on-node-2'],
      );
    });
  });

  it('name a node that does not tell its disk usage', async () => {
    const fault = { status: 500, message: 'a disk usage operation is already running' };
    shoal.engine('node-3').faults.fail(/system\/df/, fault);
    assert.match((await headerOf('/system/df')) ?? '', /^node-3;age=/);
    assert.equal(await headerOf('/containers/json'), undefined);
    shoal.engine('node-3').faults.clear();
  });
});
