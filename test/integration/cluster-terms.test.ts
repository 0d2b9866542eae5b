// Creates with terms of their own: a plan instead of a container, and a create that is held until there is room.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { ApiError, errorMessage } from '../../src/common/errors.ts';
import { startConnectedCluster } from '../support/connected-cluster.ts';
import type { ConnectedCluster } from '../support/connected-cluster.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const port80 = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '80' }] } } };

describe('a dry run', () => {
  let connected: ConnectedCluster | undefined;

  afterEach(async () => {
    await connected?.stop();
    connected = undefined;
  });

  /** The message of the refusal that a dry run always is. */
  async function plan(body: object): Promise<{ readonly status: number; readonly text: string }> {
    const labelled = { Labels: { 'com.docker.swarm.dryrun': 'true' }, ...body };
    const refusal: unknown = await connected!.create(labelled).then(
      () => 'it was created',
      (error: unknown) => error,
    );
    assert.ok(refusal instanceof ApiError, errorMessage(refusal));
    return { status: refusal.status, text: refusal.message };
  }

  const writes = (): number =>
    connected!.simulated.reduce(
      (sum, { requests }) => sum + requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD').length,
      0,
    );

  it('plans what the next create does, a hundred and fifty times, and writes nothing to any engine', async () => {
    const random = new SeededRandom(4);
    const zones = ['a', 'b', 'a', 'c', 'b'];
    connected = await startConnectedCluster(zones.map((zone) => ({ labels: { zone } })));
    for (let turn = 0; turn < 150; turn += 1) {
      const rule = random.oneOf([
        'constraint:zone==a',
        'constraint:zone!=~b',
        'strategy:binpack',
        'affinity:tier!=~web',
      ]);
      const body = {
        Env: random.chance(0.7) ? [rule] : [],
        HostConfig: { Memory: random.chance(0.5) ? random.between(1, 100) << 20 : 0 },
      };
      const before = writes();
      const { status, text } = await plan(body);
      assert.equal(writes(), before);
      const { engine } = await connected.create({ ...body, Labels: { tier: random.oneOf(['web', 'db']) ?? '' } });
      assert.equal(status, 422);
      assert.match(text, new RegExp(`would go to ${engine.name}\n`), `turn ${turn}`);
    }
  }).timeout(60_000);

  it('asks nobody to pull an image that no node has', async () => {
    connected = await startConnectedCluster([{}, { images: [] }]);
    const { status, text } = await plan({ Image: 'absent:1' });
    assert.equal(status, 422);
    assert.match(text, /\nimage absent:1 is on no node: it would be fetched first\n/);
    const elsewhere = await plan({ Env: ['constraint:node==node-2'] });
    assert.match(elsewhere.text, /would go to node-2\nimage busybox is on other nodes only/);
  });

  it('refuses as the create would, and leaves the name free', async () => {
    connected = await startConnectedCluster([{}]);
    const { status, text } = await plan({ Env: ['constraint:zone==moon'] });
    assert.equal(status, 409);
    assert.match(text, /\n {2}node-1: constraint zone==moon does not hold/);
    await assert.rejects(connected.create({ Env: ['dryrun:true'] }, { name: 'web' }), /dry run/);
    assert.ok((await connected.create({}, { name: 'web' })).id);
    await assert.rejects(connected.create({ Env: ['dryrun:true'] }, { name: 'web' }), /already in use/);
  });
});

describe('a create that may wait', () => {
  let shoal: SimulatedCluster | undefined;

  afterEach(async () => {
    await shoal?.stop();
    shoal = undefined;
  });

  const create = async (name: string, wait: string, body: object = port80): Promise<Answer> => {
    const answer = await shoal!.api.post(`/containers/create?name=${name}`).send({
      Image: 'busybox',
      Env: [`wait:${wait}`],
      ...body,
    });
    return { status: answer.status, text: answer.text };
  };

  const waitingRows = async (): Promise<readonly (readonly string[])[]> => {
    const { SystemStatus: rows } = (await shoal!.api.get('/info')).body as { readonly SystemStatus: string[][] };
    const first = rows.findIndex(([name]) => name === 'Waiting creates');
    return first === -1 ? [] : rows.slice(first, first + 1 + Number(rows[first]![1]));
  };

  it('is held until a port is free, and shown meanwhile with what it waits for', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    const first = await shoal.run({ name: 'first', body: port80 });
    const second = create('second', '1m');
    await until('it waits', async () => (await waitingRows()).length === 2);
    const [head, row] = await waitingRows();
    assert.deepEqual(head, ['Waiting creates', '1']);
    assert.equal(row?.[0], '  └ second');
    assert.match(row[1] ?? '', /^waits for port 80 \(Bridge mode\) \(\d+s left\)$/);
    await shoal.api.delete(`/containers/${first}?force=1`).expect(204);
    assert.equal((await second).status, 201);
    assert.deepEqual(await waitingRows(), []);
  });

  it('is placed in the order of arrival, one for each room, and none of them twice', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    let holder = await shoal.run({ name: 'holder', body: port80 });
    const order: string[] = [];
    const names = ['one', 'two', 'three', 'four', 'five'];
    const creates: Promise<void>[] = [];
    for (const name of names) {
      creates.push(
        create(name, '1m').then(({ status }) => {
          assert.equal(status, 201);
          order.push(name);
        }),
      );
      await until('it waits', async () => (await waitingRows()).length === creates.length + 1);
    }
    for (const name of names) {
      await shoal.api.delete(`/containers/${holder}?force=1`).expect(204);
      await until(`${name} is placed`, () => order.includes(name));
      assert.equal(shoal.engine().containers.size, 1);
      holder = name;
    }
    await Promise.all(creates);
    assert.deepEqual(order, names);
  });

  it('goes to a node that joins', async () => {
    shoal = await startSimulatedCluster({ engines: [{}, { labels: { gpu: '2' } }], announced: false });
    shoal.announce(shoal.engines.slice(0, 1));
    await until('the first node is healthy', () => shoal!.cluster.members.healthyEngines.length === 1);
    const waiting = create('web', '1m', { Env: ['wait:1m', 'constraint:gpu==2'] });
    await until('it waits', async () => (await waitingRows()).length === 2);
    shoal.announce(shoal.engines);
    assert.equal((await waiting).status, 201);
    assert.equal(shoal.engine('node-2').containers.size, 1);
  });

  it('waits for a healthy node too', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    await shoal.engine().faults.refuse();
    await until('the engine is lost', () => shoal!.cluster.members.healthyEngines.length === 0);
    const waiting = create('web', '1m', {});
    await until('it waits', async () => (await waitingRows()).length === 2);
    await shoal.engine().faults.accept();
    assert.equal((await waiting).status, 201);
  });

  it('is refused as usual when its time is over', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    await shoal.run({ body: port80 });
    const { status, text } = await create('web', '300ms');
    assert.equal(status, 409);
    assert.match(text, /node-1: port 80\/tcp is taken/);
    assert.equal((await create('web', '0')).status, 409, 'the name is free again');
    assert.deepEqual(shoal.cluster.containerCreator.waiting.list, []);
  });

  it('ends when the client leaves, and takes no room afterwards', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    const first = await shoal.run({ body: port80 });
    const raw = await shoal.openRaw();
    const body = JSON.stringify({ Image: 'busybox', Env: ['wait:1m'], ...port80 });
    raw.write(
      `POST /containers/create?name=gone HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until('it waits', () => shoal!.cluster.containerCreator.waiting.list.length === 1);
    raw.destroy();
    await until('it waits no longer', () => shoal!.cluster.containerCreator.waiting.list.length === 0);
    await shoal.api.delete(`/containers/${first}?force=1`).expect(204);
    assert.equal((await create('gone', '0')).status, 201);
  });

  it('of which a thousand wait holds up nobody, and a thousand is the most', async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
    for (let count = 0; count < 3; count += 1) await shoal.run({ body: port80 });
    const { cluster } = shoal;
    const abort = new AbortController();
    const waiting = Array.from({ length: 1_000 }, () =>
      cluster.createContainer({
        body: { Image: 'busybox', Env: ['wait:1m'], ...port80 },
        headers: {},
        version: '1.41',
        signal: abort.signal,
      }),
    );
    const settled = Promise.allSettled(waiting);
    await until('all wait', () => cluster.containerCreator.waiting.list.length === 1_000);
    assert.match((await create('late', '1m')).text, /1000 creates are waiting already/);
    assert.ok((await shoal.run()).length > 0, 'others are placed as ever');
    abort.abort(new Error('enough'));
    const results = await settled;
    assert.ok(results.every(({ status }) => status === 'rejected'));
    assert.deepEqual(cluster.containerCreator.waiting.list, []);
  }).timeout(60_000);
});

interface Answer {
  readonly status: number;
  readonly text: string;
}
