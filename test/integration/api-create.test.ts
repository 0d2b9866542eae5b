import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const messageOf = (body: unknown): string => (body as { message: string }).message;

describe('creating a container', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) engine.faults.clear();
    const body: unknown = (await shoal.api.get('/containers/json?all=1')).body;
    await Promise.all((body as { Id: string }[]).map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`)));
  });

  it('answers 201 with the id and a list of warnings', async () => {
    const answer = await shoal.api.post('/containers/create?name=web').send({ Image: 'busybox' }).expect(201);

    assert.deepEqual(Object.keys(answer.body as object).sort(), ['Id', 'Warnings']);
    assert.deepEqual((answer.body as { Warnings: unknown }).Warnings, []);
  });

  it('passes unknown fields to the engine', async () => {
    const body = { Image: 'busybox', Future: { a: [1, null] }, HostConfig: { Newer: 'x', Memory: 1 << 24 } };
    const id = await shoal.run({ body, isStarted: false });

    const created = shoal.engineOf(id).containers.get(id)?.body;
    assert.deepEqual(created?.['Future'], body.Future);
    assert.deepEqual(created['HostConfig'], body.HostConfig);
  });

  it('spreads six containers over three nodes by two', async () => {
    for (let i = 0; i < 6; i += 1) await shoal.run();

    assert.deepEqual(
      shoal.engines.map((engine) => engine.containers.size),
      [2, 2, 2],
    );
  });

  it('puts a container where a constraint wants it', async () => {
    const id = await shoal.run({ body: { Env: ['constraint:node==node-2', 'A=b'] } });

    assert.equal(shoal.engineOf(id).name, 'node-2');
  });

  it('names each node with its reason when none fits', async () => {
    const answer = await shoal.api
      .post('/containers/create')
      .send({ Image: 'busybox', Env: ['constraint:node==node-9'] });

    assert.ok([409, 503].includes(answer.status), String(answer.status));
    for (const engine of shoal.engines) assert.ok(messageOf(answer.body).includes(engine.name));
  });

  it('answers 404 for an image that no node has, and for nothing else', async () => {
    await shoal.api
      .post('/containers/create')
      .send({ Image: 'nope:1' })
      .expect(404, { message: 'No such image: nope:1' });
  });

  const malformed: readonly (readonly [string, string | Buffer, string, RegExp])[] = [
    ['no JSON', '{"Image":', 'application/json', /^invalid JSON: unexpected EOF$/],
    ['no image and no command', '{"Labels":{}}', 'application/json', /^no command specified$/],
    ['a name in capitals', '{"Image":"UPPER"}', 'application/json', /repository name \(library\/UPPER\) must be/],
    [
      'no Content-Type of JSON',
      'Image=busybox',
      'text/plain',
      /^unsupported Content-Type header \(text\/plain\): must be 'application\/json'/,
    ],
    ['null', 'null', 'application/json', /config cannot be empty/],
    ['an empty object', '{}', 'application/json', /config cannot be empty/],
    ['an array', '[]', 'application/json', /cannot unmarshal array/],
    ['a number', '5', 'application/json', /cannot unmarshal number/],
    ['a number for the image', '{"Image":5}', 'application/json', /cannot unmarshal number into Go struct field/],
    ['labels in a list', '{"Image":"busybox","Labels":["a"]}', 'application/json', /cannot unmarshal array/],
  ];
  for (const [title, body, type, message] of malformed) {
    it(`refuses ${title} with 400`, async () => {
      const answer = await shoal.api.post('/containers/create').set('Content-Type', type).send(body);

      assert.equal(answer.status, 400);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.match(messageOf(answer.body), message);
    });
  }

  it("refuses an invalid name in dockerd's words", async () => {
    await shoal.api.post('/containers/create?name=a%20b').send({ Image: 'busybox' }).expect(400, {
      message: 'Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    });
  });

  it('creates each of many at once exactly once, evenly', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => shoal.api.post(`/containers/create?name=c${i}`).send({ Image: 'busybox' })),
    );

    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
    assert.deepEqual(
      shoal.engines.map((engine) => engine.containers.size),
      [10, 10, 10],
    );
  });
});

describe('a container that its node cannot start', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3, cluster: { createRetry: 1 } });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) engine.faults.clear();
    const body: unknown = (await shoal.api.get('/containers/json?all=1')).body;
    await Promise.all((body as { Id: string }[]).map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`)));
  });

  const taken = { status: 500, message: 'driver failed programming external connectivity: address already in use' };
  const refuseStart = (...names: readonly string[]): void => {
    for (const name of names) shoal.engine(name).faults.fail(/^POST .*\/start/, taken);
  };
  const containers = (): readonly number[] => shoal.engines.map((engine) => engine.containers.size);

  it('is started on the next best one, under its name and the id that the client has', async () => {
    refuseStart('node-1');
    const id = await shoal.run({ name: 'web', isStarted: false });
    await shoal.api.post(`/containers/${id}/start`).expect(204);

    assert.deepEqual(containers(), [0, 1, 0]);
    for (const reference of [id, 'web']) {
      const inspected = (await shoal.api.get(`/containers/${reference}/json`).expect(200)).body as Inspected;
      assert.equal(inspected.State.Running, true);
      assert.equal(inspected.Node.Name, 'node-2');
      assert.deepEqual(inspected.Placement.Attempts, [{ Node: 'node-1', Error: taken.message }]);
    }
  });

  it('is shown once at any moment, and found by name, whether it is started elsewhere or not', async () => {
    const watchStart = async (...refusing: readonly string[]): Promise<{ status: number; seen: readonly string[] }> => {
      for (const engine of shoal.engines) engine.faults.clear();
      refuseStart(...refusing);
      for (const name of refusing) shoal.engine(name).faults.delay(/^DELETE /, 100);
      const id = await shoal.run({ name: 'web', isStarted: false });
      const seen = new Set<string>();
      let status = 0;
      const starting = shoal.api.post(`/containers/${id}/start`).then((answer) => {
        status = answer.status;
      });
      while (status === 0) {
        const rows = (await shoal.api.get('/containers/json?all=1').expect(200)).body as Row[];
        seen.add(rows.map(({ Names, Labels, State }) => [Names[0], Labels[nodeLabel], State].join(' ')).join(', '));
        await shoal.api.get('/containers/web/json').expect(200);
      }
      await starting;
      await shoal.api.delete('/containers/web?force=1').expect(204);
      return { status, seen: [...seen] };
    };
    assert.deepEqual(await watchStart('node-1', 'node-2'), { status: 500, seen: ['/web node-1 created'] });
    assert.deepEqual(await watchStart('node-1'), {
      status: 204,
      seen: ['/web node-1 created', '/web node-2 running'],
    });
    assert.deepEqual(containers(), [0, 0, 0]);
  });

  it('stays when as many nodes have failed as may, and tells of each', async () => {
    refuseStart('node-1', 'node-2', 'node-3');
    const id = await shoal.run({ name: 'web', isStarted: false });
    const answer = await shoal.api.post(`/containers/${id}/start`).expect(500);

    assert.match(messageOf(answer.body), /address already in use\ntried before:\n {2}node-1: driver failed/);
    assert.deepEqual(containers(), [1, 0, 0]);
    for (const engine of shoal.engines) engine.faults.clear();
    await shoal.api.post(`/containers/${id}/start`).expect(204);
  });

  it('stays with the words of its engine when no other node may take it', async () => {
    refuseStart('node-1');
    const id = await shoal.run({ body: { Env: ['constraint:node==node-1'] }, isStarted: false });
    const answer = await shoal.api.post(`/containers/${id}/start`).expect(500);

    assert.equal(messageOf(answer.body), taken.message);
    assert.deepEqual(containers(), [1, 0, 0]);
  });

  it('stays when something was done with it, or when it ran before', async () => {
    refuseStart('node-1');
    const renamed = await shoal.run({ name: 'web', isStarted: false });
    await shoal.api.post(`/containers/${renamed}/rename?name=front`).expect(204);
    await shoal.api.post(`/containers/${renamed}/start`).expect(500);

    shoal.engine('node-1').faults.clear();
    const ran = await shoal.run({ body: { Env: ['constraint:node==node-1'] } });
    shoal.engine('node-1').exit(ran, 0);
    refuseStart('node-1');
    await shoal.api.post(`/containers/${ran}/start`).expect(500);
    assert.deepEqual(containers(), [2, 0, 0]);
  });
});

describe('a stopped container', () => {
  it('is started while its node has what it asked for, and of several at once as many as fit', async () => {
    const shoal = await startSimulatedCluster({ engines: [{ memoryBytes: 1024 ** 3 }] });
    const stopped: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      const id = await shoal.run({ name, body: { HostConfig: { Memory: 700 * 1024 ** 2 } } });
      shoal.engine().exit(id, 0);
      await until('it is seen', () => shoal.cluster.members.nodes[0]?.reservedMemoryBytes === 0);
      stopped.push(id);
    }
    const starts = await Promise.all(
      ['start', 'start', 'restart'].map((verb, index) => shoal.api.post(`/containers/${stopped[index]}/${verb}`)),
    );
    assert.deepEqual(starts.map(({ status }) => status).sort(), [204, 409, 409]);
    assert.match(
      messageOf(starts.find(({ status }) => status === 409)?.body),
      /^no resources available to start container \w+\n {2}node-1: 700MiB of memory wanted, \d+(?:\.\d+)?MiB free$/,
    );
    const [refused = '', other = ''] = stopped.filter((_, index) => starts[index]?.status === 409);
    for (const id of stopped) if (id !== refused && id !== other) shoal.engine().exit(id, 0);
    await until('it is seen', () => shoal.cluster.members.nodes[0]?.reservedMemoryBytes === 0);
    await shoal.api.post(`/containers/${refused}/start`).expect(204);
    await shoal.api.post(`/containers/${refused}/restart`).expect(204);
    await shoal.api.post(`/containers/${other}/start`).expect(409);
    await shoal.stop();
  });
});

const nodeLabel = 'com.docker.swarm.node';

interface Row {
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: string;
}

interface Inspected {
  readonly State: { readonly Running: boolean };
  readonly Node: { readonly Name: string };
  readonly Placement: { readonly Attempts: unknown };
}
