import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { progressOf } from '../support/progress.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

const messageOf = (body: unknown): string => (body as { message: string }).message;

describe('plugins of a cluster', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
  });

  after(() => shoal.stop());

  afterEach(() => {
    for (const engine of shoal.engines) engine.faults.clear();
  });

  const pull = (name: string) =>
    shoal.api.post(`/plugins/pull?remote=${name}&name=${name}`).send([{ Name: 'network' }]);
  const nodesWith = (name: string): number => shoal.engines.filter(({ plugins }) => plugins.has(name)).length;
  const enabled = (name: string): boolean[] =>
    shoal.engines.map(({ plugins }) => plugins.get(name)?.isEnabled === true);

  it('are installed on every node, with the privileges that the client accepts', async () => {
    const lines = await progressOf(pull('team/net:1'));

    assert.equal(nodesWith('team/net:1'), 3);
    assert.equal(lines.filter(({ status }) => status?.startsWith('Digest: ')).length, 1);
    for (const engine of shoal.engines) {
      const request = engine.requests.findLast(({ path }) => path === '/plugins/pull');
      assert.equal(request?.bodyBytes, JSON.stringify([{ Name: 'network' }]).length);
    }
  });

  it('answer with the real status when no node can install them', async () => {
    const answer = await pull('missing/x').expect(404);

    assert.equal(messageOf(answer.body), 'pull access denied for missing/x');
  });

  it('are listed once, and as enabled when they are so everywhere', async () => {
    await progressOf(pull('listed'));
    await shoal.api.post('/plugins/listed/enable?timeout=0').expect(200);
    const isEnabled = async (): Promise<unknown> => {
      const body: unknown = (await shoal.api.get('/plugins').expect(200)).body;
      const rows = (body as { Name: string; Enabled: boolean }[]).filter(({ Name }) => Name === 'listed');
      assert.equal(rows.length, 1);
      return rows[0]?.Enabled;
    };
    assert.equal(await isEnabled(), true);

    shoal.engine('node-1').faults.fail(/disable/, { status: 404, message: 'plugin not found' });
    await shoal.api.post('/plugins/listed/disable').expect(200);
    assert.deepEqual(enabled('listed'), [true, false, false]);
    assert.equal(await isEnabled(), false);
  });

  it('are inspected on the first node that has them, and 404 is the answer for others', async () => {
    await progressOf(pull('team/seen:1'));
    const body: unknown = (await shoal.api.get('/plugins/team/seen:1/json').expect(200)).body;
    assert.equal((body as { Name: string }).Name, 'team/seen:1');

    await shoal.api.get('/plugins/nope/json').expect(404);
    shoal.engine('node-2').faults.fail(/plugins\/nope/, { status: 500, message: 'broken' });
    await shoal.api.get('/plugins/nope/json').expect(404);
  });

  it('tell which node could not be changed', async () => {
    await progressOf(pull('stubborn'));
    shoal.engine('node-2').faults.fail(/enable/, { status: 500, message: 'no such socket' });
    const answer = await shoal.api.post('/plugins/stubborn/enable').expect(500);

    assert.equal(messageOf(answer.body), 'node-2: no such socket');
  });

  it('are set, upgraded and removed on every node that has them', async () => {
    await progressOf(pull('old'));
    await shoal.api.post('/plugins/old/set').send(['DEBUG=1']).expect(204);
    shoal.engine('node-3').faults.fail(/upgrade/, { status: 404, message: 'plugin not found' });
    const lines = await progressOf(shoal.api.post('/plugins/old/upgrade?remote=old').send([]));

    assert.ok(lines.every(({ status }) => !status?.includes('not found')));
    await shoal.api.delete('/plugins/old').expect(200);
    assert.equal(nodesWith('old'), 0);
  });

  it('are created on every node from one archive', async () => {
    const archive = Buffer.alloc(300_000, 5);
    await shoal.api
      .post('/plugins/create?name=made')
      .set('Content-Type', 'application/x-tar')
      .send(archive)
      .expect(204);

    assert.equal(nodesWith('made'), 3);
    for (const engine of shoal.engines) {
      assert.equal(engine.requests.findLast(({ path }) => path === '/plugins/create')?.bodyBytes, archive.length);
    }
  });

  it('are pushed by one node, and not when none has them', async () => {
    const lines = await progressOf(shoal.api.post('/plugins/made/push'));
    assert.equal(lines[0]?.status, 'Pushed');

    await shoal.api.post('/plugins/nope/push').expect(404);
  });

  it('tell their privileges', async () => {
    const body: unknown = (await shoal.api.get('/plugins/privileges?remote=x').expect(200)).body;

    assert.equal((body as unknown[]).length, 1);
  });
});
