// Many calls at once: every container exists once, spread holds, and ports and names are given out once.
import assert from 'node:assert/strict';
import type { Agent } from 'node:http';
import { after, afterEach, before, describe, it } from 'mocha';
import { elements, text } from '../support/document.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

describe('creates at once', () => {
  let rig: Rig;
  let connections: Agent;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5', '20.10'] });
    connections = rig.manager.newAgent({ keepAlive: true, maxSockets: 64 });
  });

  afterEach(async () => {
    const { json } = await rig.api('GET', '/containers/json?all=1');
    await Promise.all(elements(json).map((row) => call('DELETE', `/containers/${text(row, 'Id')}?force=1`)));
    assert.deepEqual((await containersOfEngines()).flat(), []);
  });

  after(async () => {
    connections.destroy();
    await rig.stop();
  });

  it('make 200 containers over 64 connections, each once, spread evenly', async () => {
    const answers = await createMany(200, (index) => [`/containers/create?name=many-${index}`, { Image: 'busybox' }]);

    assert.deepEqual(countByStatus(answers), { 201: 200 });
    const perEngine = await containersOfEngines();
    const counts = perEngine.map((containers) => containers.length);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `spread is ${counts.join(', ')}`);
    const ids = perEngine.flat().map((row) => text(row, 'Id'));
    assert.equal(new Set(ids).size, 200);
    assert.deepEqual(ids.sort(), answers.map(({ body }) => text(body, 'Id')).sort());
    const listed = elements((await rig.api('GET', '/containers/json?all=1')).json).map((row) => text(row, 'Id'));
    assert.deepEqual(listed.sort(), ids);
  });

  it('give one host port to one container of each node', async () => {
    const answers = await createMany(50, () => [
      '/containers/create',
      { Image: 'busybox', HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } },
    ]);

    const { 201: created, ...refused } = countByStatus(answers);
    assert.equal(created, 3, JSON.stringify(refused));
    for (const { status, body } of answers) {
      if (status === 201) continue;
      assert.ok(status >= 400, String(status));
      assert.match(text(body, 'message'), /node-1.*8080[^]*node-2.*8080[^]*node-3.*8080/);
    }
    assert.deepEqual(
      (await containersOfEngines()).map((containers) => containers.length),
      [1, 1, 1],
    );
  });

  it('give one name to one container', async () => {
    const answers = await createMany(20, () => ['/containers/create?name=only', { Image: 'busybox' }]);

    assert.deepEqual(countByStatus(answers), { 201: 1, 409: 19 });
    for (const { status, body } of answers) {
      if (status === 409)
        assert.match(text(body, 'message'), /^Conflict\. The container name "\/only" is already in use/);
    }
    assert.equal((await containersOfEngines()).flat().length, 1);
  });

  it('keep their reservations only until the container is there or refused', async () => {
    const wanted = {
      Image: 'busybox',
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8081' }] } },
    };
    for (let round = 0; round < 3; round += 1) {
      const answers = await createMany(6, () => ['/containers/create?name=again', wanted]);
      assert.equal(countByStatus(answers)[201], 1);
      const removed = await call('DELETE', '/containers/again');
      assert.equal(removed.status, 204);
    }
    const answers = await createMany(4, () => ['/containers/create', wanted]);
    assert.equal(countByStatus(answers)[201], 3);
  });

  it('make containers that run at once', async () => {
    const runs = await createMany(24, () => ['/containers/create', { Image: 'busybox', Cmd: ['sleep', '3600'] }]);
    const started = await Promise.all(runs.map(({ body }) => call('POST', `/containers/${text(body, 'Id')}/start`)));

    assert.deepEqual(countByStatus(started), { 204: 24 });
    assert.equal(elements((await rig.api('GET', '/containers/json')).json).length, 24);
  });

  async function createMany(
    count: number,
    describeContainer: (index: number) => readonly [string, unknown],
  ): Promise<Answer[]> {
    return await Promise.all(Array.from({ length: count }, (_, index) => call('POST', ...describeContainer(index))));
  }

  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const outgoing = rig.manager.request(path, {
        method,
        agent: connections,
        headers: { 'content-type': 'application/json' },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, body: answer === '' ? undefined : JSON.parse(answer) });
        });
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** As the engines themselves tell. */
  async function containersOfEngines(): Promise<(readonly unknown[])[]> {
    return await Promise.all(
      rig.engines.map(async (engine) => elements((await engine.api('GET', '/containers/json?all=1')).json)),
    );
  }
});

function countByStatus(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
