import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

/** The oldest and the newest version, by node. */
const windows: Readonly<Record<string, readonly [min: string, max: string]>> = {
  'old-41': ['1.24', '1.41'],
  'mid-45': ['1.45', '1.45'],
  'new-51': ['1.24', '1.51'],
  'strict-44': ['1.44', '1.52'],
};

type Wire = Readonly<Record<string, unknown>>;

describe('requests between API versions', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({
      engines: Object.entries(windows).map(([name, [minApiVersion, apiVersion]]) => ({
        name,
        minApiVersion,
        apiVersion,
      })),
    });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) engine.faults.clear();
    const rows = (await shoal.api.get('/containers/json?all=1')).body as { Id: string }[];
    await Promise.all(rows.map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`)));
    await shoal.api.post('/networks/prune').expect(200);
  });

  const on = (node: string): Wire => ({ Image: 'busybox', Env: [`constraint:node==${node}`] });

  async function create(body: Wire, version = '1.51'): Promise<{ id: string; warnings: readonly string[] }> {
    const answer = await shoal.api.post(`/v${version}/containers/create`).send(body).expect(201);
    const { Id, Warnings } = answer.body as { Id: string; Warnings: readonly string[] };
    return { id: Id, warnings: Warnings };
  }

  /** The body that the engine got. */
  function received(id: string): Wire {
    return shoal.engineOf(id).containers.get(id)?.body ?? {};
  }

  async function refusal(body: Wire, version = '1.51'): Promise<{ status: number; message: string }> {
    const answer = await shoal.api.post(`/v${version}/containers/create`).send(body);
    return { status: answer.status, message: (answer.body as { message: string }).message };
  }

  describe('a create with several networks', () => {
    const networkBody = (name: string, node: string): Wire => ({ Name: `${node}/${name}`, Driver: 'bridge' });

    async function createOnNetworks(node: string, version = '1.51'): Promise<string> {
      for (const name of ['front', 'back', 'side']) {
        await shoal.api.post('/networks/create').send(networkBody(name, node)).expect(201);
      }
      const { id } = await create(
        {
          ...on(node),
          HostConfig: { NetworkMode: 'front' },
          NetworkingConfig: {
            EndpointsConfig: { side: {}, front: { Aliases: ['web'] }, back: { Aliases: ['api'] } },
          },
        },
        version,
      );
      return id;
    }

    function connects(node: string): string[] {
      return shoal
        .engine(node)
        .requests.filter(({ path }) => path.endsWith('/connect'))
        .map(({ path }) => path);
    }

    it('joins them one by one on an engine before 1.44, in the order of their names, before it is answered', async () => {
      const id = await createOnNetworks('old-41');

      assert.deepEqual(received(id)['NetworkingConfig'], { EndpointsConfig: { front: { Aliases: ['web'] } } });
      assert.deepEqual(connects('old-41').slice(-2), ['/networks/back/connect', '/networks/side/connect']);
      const answer = await shoal.api.get(`/containers/${id}/json`).expect(200);
      const { Networks } = (answer.body as { NetworkSettings: { Networks: Record<string, Wire> } }).NetworkSettings;
      assert.deepEqual(Object.keys(Networks).sort(), ['back', 'front', 'side']);
      assert.ok((Networks['back']?.['Aliases'] as string[]).includes('api'));
    });

    for (const node of ['mid-45', 'new-51']) {
      it(`is left to the engine ${node}`, async () => {
        const id = await createOnNetworks(node);

        const { EndpointsConfig } = received(id)['NetworkingConfig'] as { EndpointsConfig: Wire };
        assert.deepEqual(Object.keys(EndpointsConfig), ['side', 'front', 'back']);
        assert.deepEqual(connects(node), []);
      });
    }

    it('leaves no container behind when a network cannot be joined, and does not answer 404', async () => {
      const fault = { status: 404, message: 'network side not found' };
      shoal.engine('old-41').faults.fail(/^POST \/networks\/side\/connect/, fault);

      await assert.rejects(createOnNetworks('old-41'), /expected 201 "Created", got 400/);

      assert.equal(shoal.engine('old-41').containers.size, 0);
      await shoal.api.get('/containers/json?all=1').expect(200, []);
    });
  });

  describe('a create that an older engine would not do in full', () => {
    const needed: readonly (readonly [title: string, body: Wire, nodes: readonly string[]])[] = [
      [
        'the sub-path of a volume',
        { HostConfig: { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { Subpath: 'a' } }] } },
        ['mid-45', 'new-51', 'strict-44'],
      ],
      [
        'the priority of a gateway',
        { NetworkingConfig: { EndpointsConfig: { bridge: { GwPriority: 1 } } } },
        ['new-51', 'strict-44'],
      ],
      [
        'a mount of an image',
        { HostConfig: { Mounts: [{ Type: 'image', Source: 'busybox', Target: '/i' }] } },
        ['new-51', 'strict-44'],
      ],
    ];
    for (const [title, body, nodes] of needed) {
      it(`goes to an engine that knows ${title}`, async () => {
        for (let count = 0; count < 4; count += 1) {
          const { id } = await create({ Image: 'busybox', ...body });
          assert.ok(nodes.includes(shoal.engineOf(id).name), shoal.engineOf(id).name);
        }
      });

      it(`is refused with a reason where no such engine may be chosen: ${title}`, async () => {
        const { status, message } = await refusal({ ...on('old-41'), ...body });
        assert.equal(status, 409);
        assert.match(message, /API version 1\.4\d is needed, it has 1\.41/);
      });
    }

    it('warns of what is ignored', async () => {
      const body = { Healthcheck: { Test: ['CMD', 'true'], StartInterval: 1e9 } };

      assert.deepEqual((await create({ ...on('old-41'), ...body })).warnings, [
        'node old-41 speaks API 1.41 only: Healthcheck.StartInterval is ignored',
      ]);
      assert.deepEqual((await create({ ...on('mid-45'), ...body })).warnings, []);
    });

    it('writes a host directory that is to be made as a bind', async () => {
      const mount = { Type: 'bind', Source: '/new/dir', Target: '/d', BindOptions: { CreateMountpoint: true } };
      const { id } = await create({ ...on('old-41'), HostConfig: { Mounts: [mount] } });

      const { Binds, Mounts } = received(id)['HostConfig'] as Wire;
      assert.deepEqual({ Binds, Mounts }, { Binds: ['/new/dir:/d'], Mounts: [] });
    });

    it('gives the container the MAC address of its endpoint', async () => {
      const { id } = await create({
        ...on('old-41'),
        HostConfig: { NetworkMode: 'bridge' },
        NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02:42:ac:11:00:09' } } },
      });
      assert.equal(received(id)['MacAddress'], '02:42:ac:11:00:09');
    });
  });

  describe('a create that is older than the engine', () => {
    it('runs at the oldest version of the engine with the defaults of the client', async () => {
      const { id } = await create(
        {
          ...on('strict-44'),
          HostConfig: {
            Annotations: { a: 'b' },
            Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true }],
          },
        },
        '1.30',
      );

      const { IpcMode, Annotations, Mounts } = received(id)['HostConfig'] as Wire;
      assert.equal(IpcMode, 'shareable');
      assert.equal(Annotations, undefined);
      assert.deepEqual(Mounts, [
        { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
      ]);
      const { url } = shoal.engine('strict-44').requests.findLast(({ path }) => path === '/containers/create') ?? {};
      assert.match(url ?? '', /^\/v1\.44\//);
    });

    it('goes unchanged to an engine that speaks the version', async () => {
      const { id } = await create({ ...on('new-51'), HostConfig: { Annotations: { a: 'b' } } }, '1.30');
      assert.deepEqual(received(id)['HostConfig'], { Annotations: { a: 'b' } });
    });

    it("moves the container's MAC address to its endpoint", async () => {
      const { id } = await create({ ...on('strict-44'), MacAddress: '02:42:ac:11:00:09' }, '1.40');

      assert.equal(received(id)['MacAddress'], undefined);
      assert.deepEqual(received(id)['NetworkingConfig'], {
        EndpointsConfig: { default: { MacAddress: '02:42:ac:11:00:09' } },
      });
    });

    it('is refused where its version has no such feature', async () => {
      const bind = { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true };
      const mount = { ...bind, BindOptions: { ReadOnlyForceRecursive: true } };
      assert.deepEqual(await refusal({ ...on('strict-44'), HostConfig: { Mounts: [mount] } }, '1.40'), {
        status: 400,
        message: 'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer',
      });
    });
  });

  describe('other bodies', () => {
    function sentBytes(path: string): number | undefined {
      const requests = shoal.engines.flatMap((engine) => engine.requests);
      return requests.findLast((request) => request.path.endsWith(path))?.bodyBytes;
    }

    it('lose what the version of the client did not have', async () => {
      const { id } = await create(on('strict-44'));
      const update = { Memory: 1 << 24, PidsLimit: 5 };

      await shoal.api.post(`/v1.39/containers/${id}/update`).send(update).expect(200);
      assert.equal(sentBytes('/update'), JSON.stringify({ Memory: 1 << 24 }).length);

      await shoal.api.post(`/v1.44/containers/${id}/update`).send(update).expect(200);
      assert.equal(sentBytes('/update'), JSON.stringify(update).length);
    });

    it('that join a network in a way that the engine does not know are refused', async () => {
      await shoal.api.post('/networks/create').send({ Name: 'old-41/net', Driver: 'bridge' }).expect(201);
      const { id } = await create(on('old-41'));
      for (const [EndpointConfig, since] of [
        [{ DriverOpts: { 'com.docker.network.endpoint.sysctls': 'x=1' } }, '1.46'],
        [{ GwPriority: 1 }, '1.48'],
      ] as const) {
        const answer = await shoal.api.post('/networks/net/connect').send({ Container: id, EndpointConfig });
        assert.equal(answer.status, 400);
        const { message } = answer.body as { message: string };
        assert.ok(message.endsWith(`needs an engine of API ${since} or newer, and node old-41 speaks 1.41`), message);
      }
      await shoal.api
        .post('/networks/net/connect')
        .send({ Container: id, EndpointConfig: { GwPriority: 0 } })
        .expect(200);
    });
  });

  it('never make a second network of one name on an old engine', async () => {
    await shoal.api.post('/networks/create').send({ Name: 'old-41/net', Driver: 'bridge' }).expect(201);
    await shoal.api.post('/networks/create').send({ Name: 'old-41/net', Driver: 'bridge' }).expect(409);
  });

  it('stop a container with a signal that an old engine does not take', async () => {
    const id = await shoal.run({ body: on('old-41') });

    await shoal.api.post(`/containers/${id}/stop?signal=SIGINT&t=5`).expect(204);

    const kill = shoal.engine('old-41').requests.findLast(({ path }) => path.endsWith('/kill'));
    assert.equal(kill?.query.get('signal'), 'SIGINT');
    const events = shoal.engine('old-41').requests.filter(({ path }) => path.endsWith('/stop'));
    assert.equal(events.length, 1);
  });

  it('remove one platform of an image on no engine that would remove all of it', async () => {
    const platforms = encodeURIComponent(JSON.stringify({ os: 'linux', architecture: 'arm64' }));
    const { status } = await shoal.api.delete(`/images/busybox?platforms=${platforms}`);

    assert.equal(status, 400);
    for (const engine of shoal.engines) assert.equal(engine.images.size, 1);
  });

  describe('that make a raw stream', () => {
    const typeOf: Readonly<Record<string, string>> = {
      'old-41 1.41': 'raw',
      'old-41 1.51': 'multiplexed',
      'new-51 1.41': 'raw',
      'new-51 1.51': 'multiplexed',
      'strict-44 1.44': 'multiplexed',
    };
    for (const [place, type] of Object.entries(typeOf)) {
      const [node = '', version = ''] = place.split(' ');
      for (const tty of [false, true]) {
        it(`tell a client of ${version} on ${node} what it is${tty ? ' with a terminal' : ''}`, async () => {
          const { id } = await create({ ...on(node), Tty: tty });
          await shoal.api.post(`/containers/${id}/start`).expect(204);
          const exec = await shoal.api
            .post(`/containers/${id}/exec`)
            .send({ Cmd: ['cat'], Tty: tty, AttachStdout: true });
          const { Id: execId } = exec.body as { Id: string };
          const expected = `Content-Type: application/vnd.docker.${tty ? 'raw' : type}-stream\r\n`;
          for (const [path, body] of [
            [`/containers/${id}/attach?stream=1&stdout=1`, ''],
            [`/exec/${execId}/start`, JSON.stringify({ Detach: false, Tty: tty })],
          ] as const) {
            const client = await shoal.openRaw();
            const head = ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Type: application/json'];
            client.write(
              [`POST /v${version}${path} HTTP/1.1`, ...head, `Content-Length: ${body.length}`, '', body].join('\r\n'),
            );
            const answer = await client.untilText('\r\n\r\n');
            assert.match(answer, /^HTTP\/1\.1 101 /);
            assert.ok(answer.includes(expected), answer);
            client.destroy();
          }
        });
      }
    }

    it('call a stream raw that is no upgrade', async () => {
      const { id } = await create(on('old-41'));
      await shoal.api.post(`/containers/${id}/start`).expect(204);
      const client = await shoal.openRaw();
      client.write(`POST /v1.51/containers/${id}/attach?stream=1&stdout=1 HTTP/1.1\r\n\r\n`);
      assert.match(await client.untilText('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\nContent-Type: [\w/.]+raw-stream\r\n/);
      client.destroy();
    });
  });

  it('that wait are answered as the version of the client has it, where the engine has forgotten it', async () => {
    const { id } = await create(on('strict-44'));
    await shoal.api.post(`/containers/${id}/start`).expect(204);
    const [old, newer] = [await shoal.openRaw(), await shoal.openRaw()];
    old.write(`POST /v1.29/containers/${id}/wait?condition=odd HTTP/1.1\r\n\r\n`);
    newer.write(`POST /v1.30/containers/${id}/wait HTTP/1.1\r\n\r\n`);
    await newer.untilText('\r\n\r\n');
    const waits = (): number =>
      shoal.engine('strict-44').requests.filter(({ path }) => path === `/containers/${id}/wait`).length;
    await until('both wait', () => waits() === 2);
    assert.equal(old.text, '');

    shoal.engine('strict-44').exit(id, 3);

    assert.match(await old.untilText('StatusCode'), /"StatusCode":3/);
    for (const client of [old, newer]) client.destroy();
  });

  it('get the answers of the version of the client', async () => {
    const image = (await shoal.api.get('/v1.41/images/busybox/json').expect(200)).body as Wire;
    assert.equal(typeof image['ContainerConfig'], 'object');
    assert.equal(typeof image['VirtualSize'], 'number');

    await shoal.api.post('/networks/create').send({ Name: 'mid-45/net', Driver: 'bridge' }).expect(201);
    const { id } = await create({ ...on('mid-45'), HostConfig: { NetworkMode: 'net' } }, '1.30');
    const inspect = (await shoal.api.get(`/v1.30/containers/${id}/json`).expect(200)).body as {
      NetworkSettings: { Networks: { net: { Aliases: string[] } } };
    };
    assert.ok(inspect.NetworkSettings.Networks.net.Aliases.includes(id.slice(0, 12)));
  });
});
