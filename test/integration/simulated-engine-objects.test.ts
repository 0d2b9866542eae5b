// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { anEngine, ask, create, stopsItsEngines } from '../support/asked-engine.ts';
import { isObject } from '../support/simulated-engine/json.ts';
import { writeTar } from '../support/simulated-engine/tar.ts';

describe('the simulated engine with images, networks and volumes', () => {
  stopsItsEngines();

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
    assert.equal((await create(engine, 'web', { Image: 'busybox', HostConfig: { NetworkMode: 'gone' } })).status, 201);
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
