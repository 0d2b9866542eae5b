// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { anEngine, ask, connectTo, stopsItsEngines } from '../support/asked-engine.ts';
import { until } from '../support/until.ts';

describe('the simulated engine as an HTTP server', () => {
  stopsItsEngines();

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
