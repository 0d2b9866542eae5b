import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, describe, it } from 'mocha';
import { openRawConnection } from '../support/raw-connection.ts';
import { PlainClient, type PlainAnswer } from '../support/plain-client.ts';
import {
  startSimulatedManagers,
  type SimulatedManager,
  type SimulatedManagers,
  type SimulatedManagersOptions,
} from '../support/simulated-managers.ts';
import { until } from '../support/until.ts';
import { text } from '../support/document.ts';

describe('several managers', () => {
  let shoal: SimulatedManagers;
  let clients: PlainClient[] = [];

  async function start(options: Partial<SimulatedManagersOptions> = {}): Promise<void> {
    shoal = await startSimulatedManagers({ managers: 3, engines: 2, ...options });
  }

  function clientOf(manager: SimulatedManager): PlainClient {
    const client = new PlainClient(manager.port, 20_000);
    clients.push(client);
    return client;
  }

  function create(client: PlainClient, name: string): Promise<PlainAnswer> {
    return client.call('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['true'] });
  }

  function changesSeen(): number {
    return shoal.engines.flatMap(({ requests }) => requests).filter(({ method }) => method !== 'GET').length;
  }

  afterEach(async () => {
    for (const client of clients) client.close();
    clients = [];
    await shoal.stop();
  });

  it('are one cluster: what is done through a replica is done by the primary, and seen through every manager', async () => {
    await start();
    const replica = clientOf(await shoal.replica());

    const created = await create(replica, 'web');
    assert.equal(created.status, 201);
    assert.equal((await replica.call('POST', '/containers/web/start')).status, 204);

    for (const manager of shoal.all) {
      const { status, body } = await clientOf(manager).call('GET', '/containers/web/json');
      assert.equal(status, 200);
      assert.equal(text(body, 'Id'), text(created.body, 'Id'));
    }
    assert.equal(shoal.copiesOf('web'), 1);
  });

  it('say in info which of them is the primary, and answer a ping by themselves', async () => {
    await start();
    const primary = await shoal.primary();
    const replica = await shoal.replica();
    const rows = async (manager: SimulatedManager): Promise<unknown> => {
      const { body } = await clientOf(manager).call('GET', '/info');
      assert.ok(typeof body === 'object' && body !== null && 'SystemStatus' in body);
      return body.SystemStatus;
    };

    const ofReplica = await rows(replica);
    const ofPrimary = await rows(primary);
    assert.ok(Array.isArray(ofReplica) && Array.isArray(ofPrimary));
    assert.deepEqual(ofReplica.slice(0, 2), [
      ['Role', 'replica'],
      ['Primary', primary.address],
    ]);
    assert.deepEqual(ofPrimary[0], ['Role', 'primary']);

    for (const manager of shoal.all) manager.store.isCut = true;
    await until('there is no primary', () => shoal.all.every(({ election }) => !election.mayWrite()));
    assert.equal((await clientOf(replica).call('GET', '/_ping')).status, 200);
  });

  it('pass streams on both ways', async () => {
    await start();
    const replica = await shoal.replica();
    const engine = shoal.engines[0]!;
    engine.createDirectly({ name: 'web', body: { OpenStdin: true } });
    await until('every manager knows it', () =>
      shoal.all.every(({ cluster }) => cluster.containers.find('web') !== undefined),
    );
    const client = await openRawConnection(replica.port);
    client.write(
      'POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n',
    );
    await client.untilText('101 UPGRADED');
    client.write('last input');
    client.end();
    assert.match(await client.untilEnd(), /last input/);
    client.destroy();

    const logs = await openRawConnection(replica.port);
    logs.write('GET /containers/web/logs?stdout=1&follow=1 HTTP/1.1\r\n\r\n');
    await logs.untilText('200 OK');
    engine.print('web', 'one line\n');
    await logs.untilText('one line');
    engine.exit('web', 0);
    await logs.untilText('\r\n0\r\n\r\n');
    logs.destroy();
  });

  it('hold a call while there is no primary, and then serve it', async () => {
    await start({ leaseMs: 200 });
    for (const manager of shoal.all) await manager.isolate();
    const answers = shoal.all.map((manager, index) => create(clientOf(manager), `held-${index}`));
    const listed = shoal.all.map((manager) => clientOf(manager).call('GET', '/containers/json'));
    assert.equal(changesSeen(), 0);

    for (const { store } of shoal.all) store.isCut = false;

    for (const { status } of await Promise.all(answers)) assert.equal(status, 201);
    for (const { status } of await Promise.all(listed)) assert.equal(status, 200);
    for (const index of [0, 1, 2]) assert.equal(shoal.copiesOf(`held-${index}`), 1);
  });

  it('answer 503 when no primary comes in time, but tell what they know', async () => {
    await start({ holdMs: 100 });
    await create(clientOf(shoal.all[0]!), 'known');
    for (const manager of shoal.all) await manager.isolate();
    const before = changesSeen();

    for (const manager of shoal.all) {
      assert.equal((await clientOf(manager).call('GET', '/containers/known/json')).status, 200);
    }
    const { status, body } = await create(clientOf(shoal.all[0]!), 'web');

    assert.equal(status, 503);
    assert.equal(text(body, 'message'), 'there is no primary manager just now: try again');
    const taken = await openRawConnection(shoal.all[0]!.port);
    taken.write('POST /exec/x/start HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n');
    await taken.untilText('503 Service Unavailable');
    taken.destroy();
    assert.equal(changesSeen(), before);
  });

  it('give one name to one of two who ask for it through different managers at once', async () => {
    await start({ leaseMs: 5_000 });
    const [one, other] = shoal.all.map(clientOf);
    const pairs = Array.from({ length: 200 }, (_, index) => `pair-${index}`);

    const statuses = await Promise.all(
      pairs.map(async (name) => {
        const answers = await Promise.all([create(one!, name), create(other!, name)]);
        return answers.map(({ status }) => status).sort((a, b) => a - b);
      }),
    );

    for (const pair of statuses) assert.deepEqual(pair, [201, 409]);
    for (const name of pairs) assert.equal(shoal.copiesOf(name), 1);
  }).timeout(60_000);

  it('let no change leave a manager that has lost its lease, on a new connection or an old one', async () => {
    await start();
    const primary = await shoal.primary();
    const engine = primary.cluster.members.engines[0]!;
    const change = { method: 'POST', path: '/containers/x/start' } as const;
    await assert.rejects(engine.client.request(change), { status: 404 });
    await primary.isolate();
    const before = changesSeen();

    await assert.rejects(engine.client.request(change), { status: 503 });
    shoal.engines[0]!.closeIdleConnections();
    await assert.rejects(engine.client.request(change), { status: 503 });

    assert.equal(changesSeen(), before);
    assert.equal((await engine.client.request({ method: 'GET', path: '/_ping' })).status, 200);
  });

  it('pass on what comes to a primary that has lost its lease', async () => {
    await start({ holdMs: 1_000 });
    const first = await shoal.primary();
    await first.isolate();

    assert.equal((await create(clientOf(first), 'web')).status, 503);
    first.store.isCut = false;
    assert.equal((await create(clientOf(first), 'web')).status, 201);
    assert.equal(shoal.copiesOf('web'), 1);
  });

  it('fail no call while the primary hands over', async () => {
    await start({ managers: 3 });
    const primary = await shoal.primary();
    const replica = await shoal.replica();
    const client = clientOf(replica);
    const statuses: number[] = [];
    const stopped = new AbortController();
    const load = (async () => {
      for (let index = 0; !stopped.signal.aborted; index += 1) {
        statuses.push((await create(client, `load-${index}`)).status);
        statuses.push((await client.call('GET', `/containers/load-${index}/json`)).status + 1);
      }
    })();
    await until('calls go through', () => statuses.length > 10);

    await primary.stop();
    const seen = statuses.length;
    await until('calls go on', () => statuses.length > seen + 20);
    stopped.abort();
    await load;

    assert.deepEqual([...new Set(statuses)], [201]);
  });

  it('refuse a call that was meant for the primary of another term, whatever it is', async () => {
    await start();
    const primary = await shoal.primary();
    const status = await new Promise((resolve, reject) => {
      const headers = { 'X-Shoal-Term': String(primary.election.term() + 1) };
      http
        .request({ port: primary.port, host: '127.0.0.1', method: 'POST', path: '/containers/x/start', headers })
        .on('response', (answer) => {
          answer.resume();
          resolve(`${answer.statusCode ?? 0} ${String(answer.headers['x-shoal-not-primary'])}`);
        })
        .on('error', reject)
        .end();
    });
    assert.equal(status, '503 1');
  });
});
