import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

describe('streams of a container', () => {
  let shoal: SimulatedCluster;
  let id: string;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.41' }] });
    id = await shoal.run({ name: 'web' });
    await shoal.run({ name: 'terminal', body: { Tty: true } });
  });

  after(() => shoal.stop());

  afterEach(() => {
    shoal.engine().faults.clear();
  });

  it('pass logs on as they come, with the head at once', async () => {
    const client = await shoal.openRaw();
    client.write('GET /v1.41/containers/web/logs?follow=1&stdout=1 HTTP/1.1\r\n\r\n');
    await client.untilText('\r\n\r\n');

    shoal.engine().print(id, 'first\n');
    await client.untilText('first\n');
    shoal.engine().print(id, 'second\n');
    await client.untilText('second\n');
    client.destroy();
  });

  const types = [
    ['1.41', 'web', 'application/vnd.docker.raw-stream'],
    ['1.42', 'web', 'application/vnd.docker.multiplexed-stream'],
    ['1.51', 'terminal', 'application/vnd.docker.raw-stream'],
  ] as const;
  for (const [version, name, type] of types) {
    it(`call the logs of ${name} ${type} for a client of ${version}`, async () => {
      await shoal.api.get(`/v${version}/containers/${name}/logs?stdout=1`).expect(200).expect('Content-Type', type);
    });
  }

  it('keep the type of an error', async () => {
    const answer = await shoal.api.get('/containers/web/logs').expect(400);

    assert.equal(answer.headers['content-type'], 'application/json');
  });

  it('leave no connection to the engine when clients go away', async () => {
    const engine = shoal.engine();
    const before = engine.connections;
    for (let round = 0; round < 5; round += 1) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => shoal.openRaw()));
      for (const client of clients) client.write('GET /containers/web/logs?follow=1&stdout=1 HTTP/1.1\r\n\r\n');
      await Promise.all(clients.map((client) => client.untilText('\r\n\r\n')));
      assert.ok(engine.connections >= 10);
      for (const client of clients) client.destroy();
    }

    await until('the engine has no more connections than before', () => engine.connections <= before, 2000);
  });

  it('break when the engine is lost', async () => {
    const lost = await startSimulatedCluster({ engines: 1 });
    await lost.run({ name: 'web' });
    const client = await lost.openRaw();
    client.write('GET /containers/web/logs?follow=1&stdout=1 HTTP/1.1\r\n\r\n');
    await client.untilText('\r\n\r\n');

    await lost.engine().faults.refuse();

    assert.doesNotMatch(await client.untilEnd(), /\r\n0\r\n\r\n$/);
    client.destroy();
    await lost.stop();
  });
});

describe('waiting for a container', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 2 });
  });

  after(() => shoal.stop());

  it('has its head before the container is started, and its result when it has ended', async () => {
    const id = await shoal.run({ isStarted: false });
    const client = await shoal.openRaw();
    client.write(`POST /v1.41/containers/${id}/wait?condition=next-exit HTTP/1.1\r\nContent-Length: 0\r\n\r\n`);
    assert.match(await client.untilText('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Type: application\/json/);
    await shoal.api.post(`/containers/${id}/start`).expect(204);

    shoal.engineOf(id).exit(id, 7);

    assert.match(await client.untilText('StatusCode'), /"StatusCode":7/);
    client.destroy();
  });

  it('ends after the lists show that the container has ended', async () => {
    for (let round = 0; round < 20; round += 1) {
      const id = await shoal.run();
      const waiting = shoal.api.post(`/containers/${id}/wait`).then((answer) => answer);
      const engine = shoal.engineOf(id);
      await until('the wait has arrived', () => engine.requests.some(({ path }) => path === `/containers/${id}/wait`));
      engine.exit(id, 0);
      await waiting;

      const body: unknown = (await shoal.api.get('/containers/json?all=1').expect(200)).body;
      assert.equal((body as { Id: string; State: string }[]).find(({ Id }) => Id === id)?.State, 'exited');
    }
  });

  it('is refused for a condition that does not exist', async () => {
    const id = await shoal.run();

    await shoal.api.post(`/containers/${id}/wait?condition=never`).expect(400);
  });

  it('breaks off when the engine is lost', async () => {
    const lost = await startSimulatedCluster({ engines: 1 });
    const id = await lost.run();
    const client = await lost.openRaw();
    client.write(`POST /containers/${id}/wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n`);
    await client.untilText('\r\n\r\n');

    await lost.engine().faults.refuse();

    assert.doesNotMatch(await client.untilEnd(), /StatusCode/);
    client.destroy();
    await lost.stop();
  });
});

describe('attaching', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 2 });
    await shoal.run({ name: 'web', body: { OpenStdin: true, AttachStdin: true, StdinOnce: true, Tty: true } });
  });

  after(() => shoal.stop());

  const path = '/v1.41/containers/web/attach?stream=1&stdin=1&stdout=1';

  it('pipes both ways after an upgrade, and passes on that the input has ended', async () => {
    const client = await shoal.openRaw();
    client.write(`POST ${path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n`);
    await client.untilText(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/);
    client.write('typed');
    await client.untilText('typed');
    client.end();

    await client.untilEnd();
  });

  it('needs no upgrade, and keeps what was typed early', async () => {
    await shoal.api.post('/containers/web/restart').expect(204);
    const client = await shoal.openRaw();
    client.write(`POST ${path} HTTP/1.1\r\nContent-Length: 0\r\n\r\nearly`);

    assert.match(await client.untilText('early'), /^HTTP\/1\.1 200 OK/);
    client.destroy();
  });

  for (const headers of ['Connection: Upgrade\r\nUpgrade: tcp\r\n', '']) {
    it(`to nothing is refused with 404 ${headers === '' ? 'without' : 'with'} an upgrade`, async () => {
      const client = await shoal.openRaw();
      client.write(`POST /containers/nope/attach?stream=1 HTTP/1.1\r\n${headers}Content-Length: 0\r\n\r\n`);

      const answer = await client.untilEnd();
      assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n/);
      assert.match(answer, /\r\n\r\n\{"message":"No such container: nope"\}\n$/);
      assert.match(answer, /Api-Version: 1\.51/i);
      client.destroy();
    });
  }

  it('leaves an ordinary request that offers HTTP/2 an ordinary request', async () => {
    const client = await shoal.openRaw();
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    client.write(`GET /_ping HTTP/1.1\r\n${offer}\r\n`);
    await client.untilText('\r\n\r\nOK');
    const body = '{"Image":"busybox"}';
    client.write(
      `POST /containers/create HTTP/1.1\r\n${offer}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );

    await client.untilText('HTTP/1.1 201 Created');
    client.destroy();
  });
});
