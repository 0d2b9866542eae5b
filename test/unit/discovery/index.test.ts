import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { openDiscovery } from '../../../discovery/index.ts';
import type { DiscoveryRole } from '../../../discovery/index.ts';
import { listMembers } from '../../../discovery/list-members.ts';
import { ApiError } from '../../../src/common/errors.ts';
import { createSilentLogger } from '../../../src/common/logger.ts';

const logger = createSilentLogger();

describe('a discovery URI', () => {
  const opened: readonly { uri: string; role: DiscoveryRole; name: string }[] = [
    { uri: 'consul://127.0.0.1:8500', role: 'agent', name: 'consul' },
    { uri: 'consul://a:8500,[::1]:8500/prod/eu/', role: 'manager', name: 'consul' },
    { uri: 'CONSUL://a:8500/x', role: 'list', name: 'consul' },
    { uri: 'etcd://a:2379,[::1]:2379/prod', role: 'agent', name: 'etcd' },
    { uri: 'etcd://a:2379', role: 'manager', name: 'etcd' },
    { uri: 'zk://a:2181,b:2181/prod', role: 'agent', name: 'zookeeper' },
    { uri: 'zk://a:2181', role: 'list', name: 'zookeeper' },
    { uri: 'nodes://a:1,b:2', role: 'manager', name: 'nodes' },
    { uri: 'a:1,10.0.0.[1:20]:2375', role: 'manager', name: 'nodes' },
    { uri: 'a:1', role: 'list', name: 'nodes' },
    { uri: 'a:1', role: 'agent', name: 'embedded' },
    { uri: 'embedded://a:1', role: 'list', name: 'embedded' },
    { uri: 'file:///tmp/cluster', role: 'manager', name: 'file' },
    { uri: 'file://cluster', role: 'manager', name: 'file' },
  ];
  for (const { uri, role, name } of opened) {
    it(`${uri} opens ${name} for ${role}`, () => {
      assert.equal(openDiscovery(uri, { role, logger }).name, name);
    });
  }

  const refused: readonly { uri: string; role: DiscoveryRole; pattern: RegExp }[] = [
    { uri: 'etcd://a', role: 'manager', pattern: /expected HOST:PORT/ },
    { uri: 'zk:///x', role: 'agent', pattern: /expected HOST:PORT/ },
    { uri: 'token://abc', role: 'manager', pattern: /"token".*consul:\/\/.*embedded:\/\/.*file:\/\/.*nodes:\/\// },
    { uri: 'consul://a', role: 'manager', pattern: /expected HOST:PORT/ },
    { uri: 'consul:///x', role: 'manager', pattern: /expected HOST:PORT/ },
    { uri: 'consul://a:8500/x y', role: 'manager', pattern: /invalid consul prefix "x y"/ },
    { uri: 'file://', role: 'manager', pattern: /file:\/\/PATH/ },
    { uri: '', role: 'manager', pattern: /empty/ },
    { uri: 'a:1,b:2', role: 'agent', pattern: /expected HOST:PORT/ },
    { uri: 'nodes://a:1', role: 'agent', pattern: /cannot join nodes/ },
    { uri: 'file:///x', role: 'agent', pattern: /cannot join file/ },
  ];
  for (const { uri, role, pattern } of refused) {
    it(`${JSON.stringify(uri)} is refused in one line for ${role}`, () => {
      assert.throws(
        () => openDiscovery(uri, { role, logger }),
        (error) => error instanceof ApiError && error.status === 400 && pattern.test(error.message),
      );
    });
  }

  it('an option that does not exist is refused by name', () => {
    assert.throws(
      () => openDiscovery('consul://a:1', { role: 'manager', logger, discoveryOpts: { 'kv.paht': 'x' } }),
      /unknown discovery option "kv\.paht": kv\.path, .*consul\.tokenfile, .* exist/,
    );
  });

  it('a certificate without its key, or a file that is missing, is refused by name', () => {
    const open = (discoveryOpts: Record<string, string>) => () =>
      openDiscovery('consul://a:1', { role: 'manager', logger, discoveryOpts });

    assert.throws(open({ 'kv.certfile': '/x' }), /kv\.certfile and kv\.keyfile are needed together/);
    assert.throws(open({ 'kv.cacertfile': '/nowhere/ca.pem' }), /kv\.cacertfile cannot be read.*ENOENT/);
  });
});

describe('the members of a fixed list', () => {
  it('are all alive, in the order of their addresses', async () => {
    const backend = openDiscovery('10.0.0.[1:2]1:2375', { role: 'list', logger });

    assert.deepEqual(await listMembers(backend, 1_000), [
      { address: '10.0.0.11:2375', alive: true },
      { address: '10.0.0.21:2375', alive: true },
    ]);
  });

  it('end without an error when the signal aborts', async () => {
    const stop = new AbortController();
    const sets: unknown[] = [];
    for await (const set of openDiscovery('a:1', { role: 'manager', logger }).watch(stop.signal)) {
      sets.push(set);
      stop.abort();
    }
    assert.equal(sets.length, 1);
  });

  it('lose an engine that is taken out, and no other', async () => {
    const backend = openDiscovery('nodes://a:1,b:2', { role: 'manager', logger });
    const stop = new AbortController();
    const sets: string[] = [];
    for await (const set of backend.watch(stop.signal)) {
      sets.push(set.map(({ address }) => address).join());
      if (sets.length === 2) stop.abort();
      await backend.deregister({ address: 'a:1', alive: false }, stop.signal);
    }
    assert.deepEqual(sets, ['a:1,b:2', 'b:2']);
  });

  it('cannot be joined', async () => {
    const backend = openDiscovery('nodes://a:1', { role: 'manager', logger });

    await assert.rejects(
      backend.register({ address: 'a:1', alive: true }, 1_000, new AbortController().signal),
      ApiError,
    );
  });
});
