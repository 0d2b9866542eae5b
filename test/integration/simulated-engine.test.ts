// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, it } from 'mocha';
import { NdjsonParser } from '../../src/common/ndjson.ts';
import { isObject, textAt } from '../support/simulated-engine/json.ts';
import type { JsonObject } from '../support/simulated-engine/json.ts';
import { startSimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import type { SimulatedEngine, SimulatedEngineOptions } from '../support/simulated-engine/simulated-engine.ts';
import { readFromTar, writeTar } from '../support/simulated-engine/tar.ts';
import { until } from '../support/until.ts';

const engines: SimulatedEngine[] = [];
const clients: Socket[] = [];

describe('the simulated engine', () => {
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  });

  describe('as an HTTP server', () => {
    it('answers pings with the headers that clients negotiate from', async () => {
      const engine = await anEngine({ apiVersion: '1.45' });
      const head = await ask(engine, 'HEAD', '/_ping');
      const get = await ask(engine, 'GET', '/v1.24/_ping');
      assert.deepEqual([head.status, head.text, head.headers['api-version']], [200, '', '1.45']);
      assert.deepEqual([get.status, get.text, get.headers['ostype']], [200, 'OK', 'linux']);
    });

    const refusals = [
      {
        path: '/v9.9/_ping',
        status: 400,
        message: 'client version 9.9 is too new. Maximum supported API version is 1.41',
      },
      {
        path: '/v1.12/info',
        status: 400,
        message:
          'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
      },
      { path: '/nowhere', status: 404, message: 'page not found' },
      { path: '/containers/json/', status: 404, message: 'page not found' },
      { path: '/containers/nope/json', status: 404, message: 'No such container: nope' },
      { path: '/exec/nope/json', status: 404, message: 'No such exec instance: nope' },
      { path: '/networks/nope', status: 404, message: 'network nope not found' },
      { path: '/volumes/nope', status: 404, message: 'get nope: no such volume' },
      { path: '/images/nope/json', status: 404, message: 'No such image: nope:latest' },
      { path: '/containers/json?filters={"node":["x"]}', status: 400, message: "Invalid filter 'node'" },
    ];
    for (const { path, status, message } of refusals) {
      it(`answers ${status} to ${path}`, async () => {
        const answer = await ask(await anEngine({}), 'GET', path);
        assert.deepEqual([answer.status, answer.json], [status, { message }]);
      });
    }

    it('describes itself', async () => {
      const engine = await anEngine({ name: 'node-7', labels: { zone: 'a' }, cpus: 2, memoryBytes: 1024 });
      const info = await ask(engine, 'GET', '/info');
      const { Name, ID, Labels, NCPU, MemTotal } = info.json;
      assert.deepEqual([Name, ID, Labels, NCPU, MemTotal], ['node-7', engine.id, ['zone=a'], 2, 1024]);
      const version = await ask(engine, 'GET', '/version');
      assert.deepEqual([version.json['ApiVersion'], version.json['MinAPIVersion']], ['1.41', '1.24']);
    });

    it('records what it received and counts its connections', async () => {
      const engine = await anEngine({});
      await ask(engine, 'GET', '/v1.41/images/a%2Fb/json?x=1', { headers: { 'X-Meta-Test': 'yes' } });
      const received = engine.requests.at(-1);
      assert.equal(received?.url, '/v1.41/images/a%2Fb/json?x=1');
      assert.deepEqual([received.path, received.headers['x-meta-test']], ['/images/a/b/json', 'yes']);
      const client = await connectTo(engine);
      await until('the connection is counted', () => engine.connections === 1);
      client.destroy();
      await until('its end is noticed', () => engine.connections === 0);
    });
  });

  describe('with containers', () => {
    it('keeps the create body untouched and lists and inspects what was created', async () => {
      const engine = await anEngine({});
      const body = {
        Image: 'busybox',
        Labels: { a: 'b' },
        HostConfig: { Memory: 5, Unknown: [1] },
        Unheard: { of: true },
      };
      const created = await ask(engine, 'POST', '/containers/create?name=web', { body });
      assert.equal(created.status, 201);
      const id = textAt(created.json, 'Id');
      assert.deepEqual(engine.containers.get(id)?.body, body);
      assert.equal(engine.containers.get(id)?.bodyText, JSON.stringify(body));
      const [row] = (await ask(engine, 'GET', '/containers/json?all=1')).list;
      assert.deepEqual([row?.['Names'], row?.['State'], row?.['Image']], [['/web'], 'created', 'busybox']);
      const document = await ask(engine, 'GET', `/containers/${id.slice(0, 12)}/json`);
      assert.equal(document.json['Name'], '/web');
      assert.deepEqual(isObject(document.json['HostConfig']) && document.json['HostConfig']['Unknown'], [1]);
    });

    it('refuses unknown images, taken names and bad names as Docker does', async () => {
      const engine = await anEngine({});
      const { id } = engine.createDirectly({ name: 'web' });
      const missing = await create(engine, 'a', { Image: 'nope:1' });
      assert.deepEqual([missing.status, missing.json['message']], [404, 'No such image: nope:1']);
      const taken = await create(engine, 'web', { Image: 'busybox' });
      assert.equal(taken.status, 409);
      assert.match(textAt(taken.json, 'message'), new RegExp(`"/web" is already in use by container "${id}"`));
      assert.equal((await create(engine, 'a b', { Image: 'busybox' })).status, 400);
      const untyped = await ask(engine, 'POST', '/containers/create', {
        text: '{}',
        headers: { 'Content-Type': 'text/plain' },
      });
      assert.equal(untyped.status, 400);
    });

    it('goes through the states with the statuses of a real engine', async () => {
      const engine = await anEngine({});
      const { id } = engine.createDirectly({ name: 'web', running: false });
      const steps: readonly (readonly [string, string, number])[] = [
        ['POST', '/containers/web/kill', 409],
        ['POST', '/containers/web/start', 204],
        ['POST', '/containers/web/start', 304],
        ['POST', '/containers/web/unpause', 500],
        ['POST', '/containers/web/pause', 204],
        ['POST', '/containers/web/pause', 409],
        ['POST', '/containers/web/unpause', 204],
        ['POST', '/containers/web/rename?name=web', 400],
        ['POST', '/containers/web/rename?name=site', 204],
        ['POST', '/containers/site/kill?signal=ZZZ', 400],
        ['DELETE', '/containers/site', 409],
        ['POST', '/containers/site/restart', 204],
        ['POST', '/containers/site/stop', 204],
        ['POST', '/containers/site/stop', 304],
        ['DELETE', '/containers/site', 204],
        ['GET', `/containers/${id}/json`, 404],
      ];
      for (const [method, path, status] of steps) {
        assert.equal((await ask(engine, method, path)).status, status, `${method} ${path}`);
      }
    });

    it('refuses to start with a chunked body', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'web', running: false });
      const answer = await ask(engine, 'POST', '/containers/web/start', {
        headers: { 'Transfer-Encoding': 'chunked' },
      });
      assert.equal(answer.status, 400);
    });

    it('filters and limits its list, newest first', async () => {
      const engine = await anEngine({ seedContainers: 3 });
      engine.createDirectly({ name: 'old', labels: { tier: 'db' } });
      engine.exit('old', 3);
      engine.createDirectly({ name: 'young', labels: { tier: 'web' } });
      const names = async (query: string): Promise<unknown> =>
        (await ask(engine, 'GET', `/containers/json?${query}`)).list.map((row) => row['Names']).join();
      assert.equal(await names('limit=2'), '/young,/old');
      assert.equal(await names('filters={"label":{"tier=web":true}}'), '/young');
      assert.equal(await names('filters={"label":["tier"]}'), '/young');
      assert.equal(await names('filters={"status":["exited"]}'), '/old');
      assert.equal(await names('all=1&filters={"exited":["3"],"name":["ol"]}'), '/old');
      assert.equal(await names('filters={"since":["node-1-seed-2"]}'), '/young,/node-1-seed-3');
      assert.equal((await ask(engine, 'GET', '/containers/json')).list.length, 4);
    });

    it('publishes ports when it starts and refuses a port that is taken', async () => {
      const engine = await anEngine({});
      const HostConfig = { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } };
      await create(engine, 'first', { Image: 'busybox', HostConfig });
      await create(engine, 'second', { Image: 'busybox', HostConfig });
      assert.equal((await ask(engine, 'POST', '/containers/first/start')).status, 204);
      const second = await ask(engine, 'POST', '/containers/second/start');
      assert.equal(second.status, 500);
      assert.match(textAt(second.json, 'message'), /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/);
      const [row] = (await ask(engine, 'GET', '/containers/json')).list;
      assert.deepEqual(row?.['Ports'], [
        { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
        { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      ]);
    });

    it('sends the headers of a wait at once and the exit code later', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'job', running: false });
      const waiting = await open(engine, 'POST', '/containers/job/wait?condition=next-exit');
      assert.equal(waiting.statusCode, 200);
      await ask(engine, 'POST', '/containers/job/start');
      engine.exit('job', 7);
      assert.deepEqual(JSON.parse(await textOf(waiting)), { Error: null, StatusCode: 7 });
    });

    it('removes a container by itself and ends the wait for its removal', async () => {
      const engine = await anEngine({});
      const { id } = engine.createDirectly({ body: { HostConfig: { AutoRemove: true } } });
      const waiting = await open(engine, 'POST', `/containers/${id}/wait?condition=removed`);
      engine.exit(id, 0);
      assert.deepEqual(JSON.parse(await textOf(waiting)), { Error: null, StatusCode: 0 });
      assert.equal(engine.containers.size, 0);
    });

    it('starts a container again when its restart policy says so', async () => {
      const engine = await anEngine({});
      const container = engine.createDirectly({ body: { HostConfig: { RestartPolicy: { Name: 'always' } } } });
      engine.exit(container.id, 1);
      assert.deepEqual([container.status, container.restartCount], ['running', 1]);
      await ask(engine, 'POST', `/containers/${container.id}/stop`);
      assert.equal(container.status, 'exited');
    });

    it('keeps what is put into a container and gives it back', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'web' });
      const archive = writeTar({ 'a.txt': Buffer.from('hello') });
      const put = await ask(engine, 'PUT', '/containers/web/archive?path=/tmp', { bytes: archive });
      const got = await ask(engine, 'GET', '/containers/web/archive?path=/tmp');
      assert.deepEqual([put.status, got.status], [200, 200]);
      assert.equal(readFromTar(got.bytes, 'a.txt')?.toString(), 'hello');
      assert.ok(got.headers['x-docker-container-path-stat']);
      const pathless = await ask(engine, 'GET', '/containers/web/archive');
      assert.equal(pathless.json['message'], 'bad parameter: pathcannot be empty');
    });

    it('frames its logs and follows them until the container ends', async () => {
      const engine = await anEngine({ apiVersion: '1.45' });
      engine.createDirectly({ name: 'web' });
      engine.print('web', 'one\n');
      const following = await open(engine, 'GET', '/containers/web/logs?stdout=1&stderr=1&follow=1');
      assert.equal(following.headers['content-type'], 'application/vnd.docker.multiplexed-stream');
      engine.print('web', 'two\n', 'stderr');
      engine.exit('web', 0);
      const frames = '\x01\0\0\0\0\0\0\x04one\n' + '\x02\0\0\0\0\0\0\x04two\n';
      assert.equal(await textOf(following), frames);
    });
  });

  describe('with hijacked connections', () => {
    it('echoes an attached terminal byte for byte until the client ends its side', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'tty', body: { Tty: true } });
      const client = await connectTo(engine);
      client.write(`${attachHead('tty', 'stream=1&stdin=1&stdout=1', 'Content-Length: 0')}early `);
      client.end('late');
      const { head, body } = await answerOf(client);
      assert.match(head, /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/);
      assert.equal(body, 'early late');
    });

    it('reads past the chunked body that some clients send with an upgrade', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'tty', body: { Tty: true } });
      const client = await connectTo(engine);
      client.write(attachHead('tty', 'stream=1&stdin=1&stdout=1', 'Transfer-Encoding: chunked'));
      client.write('0\r\n');
      client.end('\r\nhello');
      assert.equal((await answerOf(client)).body, 'hello');
    });

    it('frames the output of a container without terminal and ends with it', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'job' });
      const client = await connectTo(engine);
      client.end(attachHead('job', 'stream=1&stdout=1&stderr=1', 'Content-Length: 0'));
      await until('the client is attached', () => engine.findContainer('job')?.listeners.size === 1);
      engine.print('job', 'hi');
      engine.exit('job', 0);
      assert.equal((await answerOf(client)).body, '\x01\0\0\0\0\0\0\x02hi');
    });

    it('ends a container whose only input was closed', async () => {
      const engine = await anEngine({});
      const container = engine.createDirectly({ name: 'cat', body: { OpenStdin: true, StdinOnce: true } });
      const client = await connectTo(engine);
      client.end(attachHead('cat', 'stream=1&stdin=1&stdout=1', 'Content-Length: 0'));
      await answerOf(client);
      assert.deepEqual([container.status, container.exitCode], ['exited', 0]);
    });

    it('runs an exec once, with its JSON body before the stream', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'web' });
      const created = await ask(engine, 'POST', '/containers/web/exec', { body: { Cmd: ['cat'], Tty: true } });
      const id = textAt(created.json, 'Id');
      const client = await connectTo(engine);
      client.end(`${execHead(id, 'Connection: Upgrade\r\nUpgrade: tcp\r\n')}{"Tty":true}ping`);
      const { head, body } = await answerOf(client);
      assert.match(head, /^HTTP\/1\.1 101 UPGRADED\r\n[^]*Api-Version: 1\.41/);
      assert.equal(body, 'ping');
      assert.equal((await ask(engine, 'GET', `/exec/${id}/json`)).json['ExitCode'], 0);
      assert.equal((await ask(engine, 'POST', `/exec/${id}/start`, { body: {} })).status, 409);
    });

    it('gives the bare connection with 200 to a client that asks for no upgrade', async () => {
      const engine = await anEngine({});
      engine.createDirectly({ name: 'web' });
      const created = await ask(engine, 'POST', '/containers/web/exec', { body: { Cmd: ['cat'], Tty: true } });
      const client = await connectTo(engine);
      client.write(`${execHead(textAt(created.json, 'Id'), '')}{"Tty":true}`);
      const answer = answerOf(client);
      await until('the head has come', () => client.bytesRead > 0);
      client.end('GET / not HTTP');
      const { head, body } = await answer;
      assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(body, 'GET / not HTTP');
    });

    it('answers an upgrade that it refuses with an ordinary answer', async () => {
      const engine = await anEngine({ apiVersion: '1.45' });
      const client = await connectTo(engine);
      client.write(attachHead('nope', 'stream=1', 'Content-Length: 0'));
      const { head, body } = await answerOf(client);
      assert.match(head, /^HTTP\/1\.1 404 Not Found\r\n/);
      assert.deepEqual(JSON.parse(body), { message: 'No such container: nope' });
    });

    it('echoes sessions', async () => {
      const client = await connectTo(await anEngine({}));
      client.end('POST /session HTTP/1.1\r\nHost:\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0');
      const { head, body } = await answerOf(client);
      assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c$/);
      assert.equal(body, 'PRI * HTTP/2.0');
    });
  });

  describe('with events', () => {
    it('sends the headers at once and then what happens, in order', async () => {
      const engine = await anEngine({});
      const events = await eventsOf(engine, '');
      const { id } = engine.createDirectly({ name: 'web', labels: { a: 'b' }, body: { Volumes: { '/x': {} } } });
      engine.exit(id, 2);
      engine.removeDirectly(id);
      await until('all have come', () => events.seen.length === 9);
      assert.deepEqual(
        events.seen.map((event) => `${textAt(event, 'Type')} ${textAt(event, 'Action')}`),
        [
          'volume create',
          'container create',
          'network connect',
          'volume mount',
          'container start',
          'container die',
          'network disconnect',
          'volume unmount',
          'container destroy',
        ],
      );
    });

    it('carries the actor, and the old fields for old clients', async () => {
      const engine = await anEngine({});
      const events = await eventsOf(engine, '?filters={"type":["container"],"event":["die"]}');
      const { id } = engine.createDirectly({ name: 'web', labels: { a: 'b' } });
      engine.exit(id, 2);
      await until('it has come', () => events.seen.length === 1);
      const [event = {}] = events.seen;
      const attributes = { a: 'b', exitCode: '2', image: 'busybox:latest', name: 'web' };
      assert.deepEqual(event['Actor'], { ID: id, Attributes: attributes });
      assert.deepEqual([event['status'], event['id'], event['from']], ['die', id, 'busybox:latest']);
    });

    it('replays its last 256 events from a time on and ends at a past time', async () => {
      const engine = await anEngine({});
      for (let index = 0; index < 100; index++) engine.removeDirectly(engine.createDirectly().id);
      const replayed = await ask(engine, 'GET', '/events?since=0&until=9');
      assert.equal(replayed.text, '');
      const now = Math.ceil(Date.now() / 1000);
      const all = await ask(engine, 'GET', `/events?since=1&until=${now}`);
      assert.equal(all.text.trim().split('\n').length, 256);
      assert.equal((await ask(engine, 'GET', '/events?since=10m')).status, 500);
    });
  });

  describe('with images, networks and volumes', () => {
    it('pulls what exists and refuses what does not', async () => {
      const engine = await anEngine({});
      const pulled = await ask(engine, 'POST', '/images/create?fromImage=docker.io/library/redis&tag=7');
      assert.equal(pulled.status, 200);
      assert.match(pulled.text, /Status: Downloaded newer image for redis:7/);
      assert.equal((await ask(engine, 'GET', '/images/redis:7/json')).status, 200);
      const missing = await ask(engine, 'POST', '/images/create?fromImage=missing/app&tag=1');
      assert.equal(missing.status, 404);
      const broken = await ask(engine, 'POST', '/images/create?fromImage=broken/app&tag=1');
      assert.deepEqual([broken.status, broken.text.includes('errorDetail')], [200, true]);
      assert.equal((await ask(engine, 'GET', '/images/json')).list.length, 2);
    });

    it('saves an image that another engine loads under the same id', async () => {
      const source = await anEngine({ images: ['app:1'] });
      const target = await anEngine({ images: [] });
      const saved = await ask(source, 'GET', '/images/get?names=app:1');
      const loaded = await ask(target, 'POST', '/images/load', { bytes: saved.bytes });
      assert.match(loaded.text, /Loaded image: app:1/);
      assert.deepEqual([...target.images.keys()], [...source.images.keys()]);
      assert.equal((await ask(source, 'GET', '/images/get?names=nope')).json['message'], 'reference does not exist');
    });

    it('tags, untags and deletes, and keeps an image that is in use', async () => {
      const engine = await anEngine({});
      assert.equal((await ask(engine, 'POST', '/images/busybox/tag?repo=tool&tag=2')).status, 201);
      const untagged = await ask(engine, 'DELETE', '/images/tool:2');
      assert.deepEqual(untagged.list, [{ Untagged: 'tool:2' }]);
      const { id } = engine.createDirectly();
      assert.equal((await ask(engine, 'DELETE', '/images/busybox')).status, 409);
      engine.removeDirectly(id);
      assert.equal((await ask(engine, 'DELETE', '/images/busybox')).list.length, 2);
      assert.equal(engine.images.size, 0);
    });

    it('builds the image that the request names', async () => {
      const engine = await anEngine({});
      const context = writeTar({ Dockerfile: Buffer.from('FROM scratch\n') });
      const built = await ask(engine, 'POST', '/build?t=app:1', { bytes: context });
      assert.match(built.text, /Successfully tagged app:1/);
      assert.equal((await create(engine, 'app', { Image: 'app:1' })).status, 201);
    });

    it('has networks with ids of its own', async () => {
      const [one, two] = [await anEngine({}), await anEngine({})];
      const names = (await ask(one, 'GET', '/networks')).list.map(({ Name }) => Name);
      assert.deepEqual(names, ['bridge', 'host', 'none']);
      assert.equal(
        [...two.networks.keys()].some((id) => one.networks.has(id)),
        false,
      );
      assert.equal((await ask(one, 'DELETE', '/networks/bridge')).status, 403);
      const body = { Name: 'net', CheckDuplicate: true, Labels: { a: 'b' } };
      assert.equal((await ask(one, 'POST', '/networks/create', { body })).status, 201);
      assert.equal((await ask(one, 'POST', '/networks/create', { body })).status, 409);
    });

    it('connects, shows and disconnects the containers of a network', async () => {
      const engine = await anEngine({});
      const { id } = engine.createDirectly({ name: 'web' });
      await ask(engine, 'POST', '/networks/create', { body: { Name: 'net' } });
      assert.equal((await ask(engine, 'POST', '/networks/net/connect', { body: { Container: 'web' } })).status, 200);
      const shown = (await ask(engine, 'GET', '/networks/net')).json['Containers'];
      assert.deepEqual(isObject(shown) && Object.keys(shown), [id]);
      assert.equal((await ask(engine, 'DELETE', '/networks/net')).status, 403);
      assert.equal((await ask(engine, 'POST', '/networks/net/disconnect', { body: { Container: 'web' } })).status, 200);
      assert.equal((await ask(engine, 'DELETE', '/networks/net')).status, 204);
    });

    it('creates a container with an unknown network but does not start it', async () => {
      const engine = await anEngine({});
      assert.equal(
        (await create(engine, 'web', { Image: 'busybox', HostConfig: { NetworkMode: 'gone' } })).status,
        201,
      );
      const started = await ask(engine, 'POST', '/containers/web/start');
      assert.deepEqual([started.status, started.json], [404, { message: 'network gone not found' }]);
    });

    it('takes the network called default for the bridge', async () => {
      const engine = await anEngine({});
      const NetworkingConfig = { EndpointsConfig: { default: {} } };
      await create(engine, 'web', { Image: 'busybox', HostConfig: { NetworkMode: 'default' }, NetworkingConfig });
      assert.equal((await ask(engine, 'POST', '/containers/web/start')).status, 204);
      assert.deepEqual([...(engine.findContainer('web')?.endpoints.keys() ?? [])], ['bridge']);
    });

    it('keeps a volume that is in use and gives the same one for the same name', async () => {
      const engine = await anEngine({});
      const first = await ask(engine, 'POST', '/volumes/create', { body: { Name: 'vol', Labels: { a: '1' } } });
      const second = await ask(engine, 'POST', '/volumes/create', { body: { Name: 'vol', Labels: { a: '2' } } });
      assert.deepEqual([first.status, second.status, second.json['Labels']], [201, 201, { a: '1' }]);
      const { id } = engine.createDirectly({ body: { HostConfig: { Binds: ['vol:/x'] } } });
      assert.deepEqual((await ask(engine, 'DELETE', '/volumes/vol')).json, {
        message: `remove vol: volume is in use - [${id}]`,
      });
      engine.removeDirectly(id);
      assert.equal((await ask(engine, 'DELETE', '/volumes/vol')).status, 204);
    });

    const prunes = [
      { version: 'v1.41', left: [] },
      { version: 'v1.45', left: ['named'] },
    ];
    for (const { version, left } of prunes) {
      it(`prunes volumes as ${version} asks for`, async () => {
        const engine = await anEngine({ apiVersion: '1.45' });
        await ask(engine, 'POST', '/volumes/create', { body: { Name: 'named' } });
        await ask(engine, 'POST', '/volumes/create', { body: {} });
        await ask(engine, 'POST', `/${version}/volumes/prune`);
        assert.deepEqual([...engine.volumes.keys()], left);
      });
    }
  });

  describe('with faults', () => {
    it('fails as often as it is told', async () => {
      const engine = await anEngine({});
      engine.faults.fail(/^GET \/info$/, { status: 500, message: 'broken', times: 1 });
      const failed = await ask(engine, 'GET', '/v1.41/info');
      assert.deepEqual([failed.status, failed.json], [500, { message: 'broken' }]);
      assert.equal((await ask(engine, 'GET', '/v1.41/info')).status, 200);
    });

    it('cuts the connection before the work or after it', async () => {
      const engine = await anEngine({});
      engine.faults.cut(/POST .*create/, { times: 1 });
      await assert.rejects(create(engine, 'one', { Image: 'busybox' }));
      engine.faults.cut(/POST .*create/, { afterWork: true, times: 1 });
      await assert.rejects(create(engine, 'two', { Image: 'busybox' }));
      assert.deepEqual(
        [...engine.containers.values()].map(({ name }) => name),
        ['two'],
      );
    });

    it('hangs and delays what it is told to', async () => {
      const engine = await anEngine({});
      engine.faults.hang(/_ping/, { times: 1 });
      engine.faults.delay(/version/, 30);
      const hanging = await connectTo(engine);
      hanging.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
      await until('the request has come', () => engine.requests.length === 1);
      const startedAt = performance.now();
      assert.equal((await ask(engine, 'GET', '/version')).status, 200);
      assert.ok(performance.now() - startedAt >= 25);
      assert.equal(hanging.bytesRead, 0);
    });

    it('does nothing while it is frozen, and then all that was asked', async () => {
      const engine = await anEngine({});
      const events = await eventsOf(engine, '');
      engine.faults.freeze();
      const created = create(engine, 'web', { Image: 'busybox' });
      await until('the request has come', () => engine.requests.length === 2);
      engine.createDirectly();
      assert.deepEqual([engine.findContainer('web'), events.seen.length], [undefined, 0]);
      engine.faults.thaw();
      assert.equal((await created).status, 201);
      await until('the events have come', () => events.seen.length === 4);
    });

    it('refuses connections and comes back on the same port with what it knew', async () => {
      const engine = await anEngine({});
      engine.createDirectly();
      const { address } = engine;
      await engine.faults.refuse();
      await assert.rejects(ask(engine, 'GET', '/_ping'), { code: 'ECONNREFUSED' });
      await engine.faults.accept();
      assert.equal(engine.address, address);
      assert.equal((await ask(engine, 'GET', '/containers/json')).list.length, 1);
    });

    it('loses events and ends event streams', async () => {
      const engine = await anEngine({});
      const events = await eventsOf(engine, '?filters={"event":["create"]}');
      engine.faults.silenceEvents(1);
      engine.createDirectly({ name: 'unseen', running: false });
      engine.createDirectly({ name: 'seen', running: false });
      await until('an event has come', () => events.seen.length > 0);
      assert.equal(
        isObject(events.seen[0]?.['Actor']) && events.seen[0]['Actor']['ID'],
        engine.findContainer('seen')?.id,
      );
      engine.faults.dropEvents();
      await until('the stream has ended', () => events.hasEnded());
      await until('the engine has forgotten it', () => engine.eventStreams === 0);
    });

    it('forgets its faults', async () => {
      const engine = await anEngine({});
      engine.faults.fail(/./, { status: 503, message: 'no' });
      engine.faults.clear();
      assert.equal((await ask(engine, 'GET', '/_ping')).status, 200);
    });
  });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as an object; {} when it is none. */
  readonly json: JsonObject;
  /** The body's objects; [] when it is no list. */
  readonly list: readonly JsonObject[];
}

interface Asked {
  readonly body?: JsonObject;
  readonly text?: string;
  readonly bytes?: Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

async function anEngine(options: Partial<SimulatedEngineOptions>): Promise<SimulatedEngine> {
  const engine = await startSimulatedEngine({ name: 'node-1', ...options });
  engines.push(engine);
  return engine;
}

async function create(engine: SimulatedEngine, name: string, body: JsonObject): Promise<Answer> {
  return ask(engine, 'POST', `/containers/create?name=${encodeURIComponent(name)}`, { body });
}

async function ask(engine: SimulatedEngine, method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const response = await open(engine, method, path, asked);
  const bytes = await bytesOf(response);
  const text = bytes.toString('utf8');
  const value = parsed(text);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes,
    text,
    json: isObject(value) ? value : {},
    list: Array.isArray(value) ? value.filter(isObject) : [],
  };
}

/** Resolves when the head of the answer has come. */
async function open(
  engine: SimulatedEngine,
  method: string,
  path: string,
  { body, text, bytes, headers = {} }: Asked = {},
): Promise<IncomingMessage> {
  const content = bytes ?? text ?? (body ? JSON.stringify(body) : '');
  const typed = body ? { 'Content-Type': 'application/json', ...headers } : headers;
  const framed = headers['Transfer-Encoding'] ? typed : { 'Content-Length': Buffer.byteLength(content), ...typed };
  return new Promise((resolve, reject) => {
    const url = new URL(`http://${engine.address}`);
    httpRequest({ host: url.hostname, port: url.port, method, path: escapeJson(path), headers: framed, agent: false })
      .once('response', resolve)
      .once('error', reject)
      .end(content);
  });
}

/** Paths in these tests hold bare JSON; what they escape themselves stays escaped. */
function escapeJson(path: string): string {
  return path.replace(/[{}"[\]]/g, encodeURIComponent);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function textOf(response: IncomingMessage): Promise<string> {
  return (await bytesOf(response)).toString('latin1');
}

async function connectTo(engine: SimulatedEngine): Promise<Socket> {
  const client = connect({ port: engine.port, host: '127.0.0.1', allowHalfOpen: true });
  clients.push(client);
  await once(client, 'connect');
  return client;
}

function attachHead(name: string, query: string, framing: string): string {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
  return `POST /v1.41/containers/${name}/attach?${query} HTTP/1.1\r\nHost: x\r\n${upgrade}${framing}\r\n\r\n`;
}

/** For the body {"Tty":true}. */
function execHead(id: string, upgrade: string): string {
  const framing = 'Content-Type: application/json\r\nContent-Length: 12\r\n';
  return `POST /exec/${id}/start HTTP/1.1\r\nHost: x\r\n${upgrade}${framing}\r\n`;
}

/** Everything until the engine ends its side. */
async function answerOf(client: Socket): Promise<{ readonly head: string; readonly body: string }> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(client, 'end');
  const text = Buffer.concat(chunks).toString('latin1');
  const split = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, split), body: text.slice(split + 4) };
}

interface SeenEvents {
  readonly seen: readonly JsonObject[];
  hasEnded(): boolean;
}

async function eventsOf(engine: SimulatedEngine, query: string): Promise<SeenEvents> {
  const response = await open(engine, 'GET', `/events${query}`);
  const parser = new NdjsonParser();
  const seen: JsonObject[] = [];
  response.on('data', (chunk: Buffer) => seen.push(...parser.push(chunk).filter(isObject)));
  response.on('error', () => undefined);
  return { seen, hasEnded: () => response.readableEnded };
}
