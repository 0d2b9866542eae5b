import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

describe('API versions', () => {
  let shoal: SimulatedCluster;
  let old: string;
  let recent: string;

  before(async () => {
    shoal = await startSimulatedCluster({
      engines: [
        { apiVersion: '1.41', minApiVersion: '1.12' },
        { apiVersion: '1.52', minApiVersion: '1.44' },
      ],
    });
    old = await shoal.run({ body: { Env: ['constraint:node==node-1'] } });
    recent = await shoal.run({ body: { Env: ['constraint:node==node-2'] } });
  });

  after(() => shoal.stop());

  for (const version of ['1.24', '1.30', '1.41', '1.45', '1.51']) {
    it(`of a client may be ${version} on engines old and new`, async () => {
      for (const id of [old, recent]) {
        await shoal.api.get(`/v${version}/containers/${id}/json`).expect(200);
        await shoal.api.get(`/v${version}/containers/${id}/top`).expect(200);
        await shoal.api.post(`/v${version}/containers/${id}/kill?signal=USR1`).expect(204);
      }
    });
  }

  it('reach an engine within its own window', async () => {
    await shoal.api.get(`/v1.51/containers/${old}/changes`).expect(200);
    await shoal.api.get(`/v1.30/containers/${recent}/changes`).expect(200);
    await shoal.api.get(`/containers/${recent}/changes`).expect(200);

    const urls = shoal.engines.map((engine) =>
      engine.requests.filter(({ path }) => path.endsWith('/changes')).map(({ url }) => url),
    );
    assert.deepEqual(urls, [
      [`/v1.41/containers/${old}/changes`],
      [`/v1.44/containers/${recent}/changes`, `/v1.51/containers/${recent}/changes`],
    ]);
  });

  it("beyond the window are refused with dockerd's words, also for a ping", async () => {
    const tooNew = 'client version 1.52 is too new. Maximum supported API version is 1.51';
    await shoal.api.get('/v1.52/_ping').expect(400, { message: tooNew });
    await shoal.api.get('/v1.52/containers/json').expect(400, { message: tooNew });
  });

  it('older than any client that reads JSON errors are refused in plain text, also with an upgrade', async () => {
    const refusal = (version: string): string =>
      `client version ${version} is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n`;
    for (const version of ['1.23', '1', '1.4.1', '.']) {
      const answer = await shoal.api.get(`/v${version}/version`).expect(400, refusal(version));
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    }

    const client = await shoal.openRaw();
    client.write('POST /v1.23/containers/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    const [head = '', body] = (await client.untilEnd()).split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 400 .*^Content-Type: text\/plain; charset=utf-8$/ms);
    assert.equal(body, refusal('1.23'));
    client.destroy();
  });

  it('keep the query string as the client wrote it', async () => {
    await shoal.api.get(`/containers/${old}/top?ps_args=-o%20pid,comm&x=%2B+`).expect(200);

    const { url } = shoal.engine('node-1').requests.findLast(({ path }) => path.endsWith('/top')) ?? {};
    assert.equal(url, `/v1.41/containers/${old}/top?ps_args=-o%20pid,comm&x=%2B+`);
  });

  it('leave repeated headers repeated', async () => {
    const client = await shoal.openRaw();
    client.write(`GET /containers/${old}/top HTTP/1.1\r\nX-Meta-A: 1\r\nX-Meta-A: 2\r\n\r\n`);
    await client.untilText('\r\n\r\n');

    const { rawHeaders = [] } = shoal.engine('node-1').requests.findLast(({ path }) => path.endsWith('/top')) ?? {};
    assert.equal(rawHeaders.filter((text) => text.toLowerCase() === 'x-meta-a').length, 2);
    client.destroy();
  });
});
