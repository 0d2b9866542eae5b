// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'mocha';
import { anEngine, ask, bytesOf, create, open, stopsItsEngines } from '../support/asked-engine.ts';
import { isObject, textAt } from '../support/simulated-engine/json.ts';
import { readFromTar, writeTar } from '../support/simulated-engine/tar.ts';

describe('the simulated engine with containers', () => {
  stopsItsEngines();

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

async function textOf(response: IncomingMessage): Promise<string> {
  return (await bytesOf(response)).toString('latin1');
}
