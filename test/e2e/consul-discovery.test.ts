// Discovery through a real Consul: what it says of engines, and what it does not make managers believe.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import { openDiscovery } from '../../discovery/index.ts';
import { Agent } from '../../src/agent/agent.ts';
import { createEngineProbe } from '../../src/agent/engine-probe.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { close, listen } from '../support/http-servers.ts';
import { MembershipWatcher } from '../support/membership-watcher.ts';
import { runOrThrow } from '../support/rig/command.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { preparePackages, searchPath } from '../support/rig/packages.ts';
import { startRig } from '../support/rig/rig.ts';
import type { Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
const never = new AbortController().signal;
const first = '10.0.0.1:2375';
const second = '[fe80::1]:2375';
const longTtlMs = 60_000;

describe('engines in Consul', () => {
  let rig: Rig;
  let watcher: MembershipWatcher;

  before(async () => {
    rig = await startRig({ engines: [], manager: 'none', consul: {} });
  });

  after(async () => {
    await rig.stop();
  });

  afterEach(async () => {
    await watcher.stop();
  });

  function open(prefix: string, servers = rig.consul.address): DiscoveryBackend {
    return openDiscovery(`consul://${servers}/${prefix}`, { role: 'agent', logger });
  }

  function watch(prefix: string): MembershipWatcher {
    watcher = new MembershipWatcher(open(prefix));
    return watcher;
  }

  async function countPassing(service: string): Promise<number> {
    const url = `http://${rig.consul.address}/v1/health/service/${service}?passing`;
    const { json } = await httpCall({ method: 'GET', url, timeoutMs: 5_000 });
    return Array.isArray(json) ? json.length : 0;
  }

  it('are services with a passing check, and gone once they are withdrawn', async () => {
    const agent = open('plain/test');
    const seen = watch('plain/test');
    await seen.shows('');

    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await agent.register({ address: second, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+ ${second}+`);
    assert.equal(await countPassing('plain-test'), 2);

    await agent.deregister({ address: first, alive: true }, never);
    await seen.shows(`${second}+`);
    await agent.deregister({ address: second, alive: true }, never);
    await seen.shows('');
    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+`);
  });

  it('are separate for each prefix', async () => {
    const seen = watch('one');
    await seen.shows('');

    await open('two').register({ address: first, alive: true }, longTtlMs, never);
    await open('one').register({ address: second, alive: true }, longTtlMs, never);

    await seen.shows(`${second}+`);
    assert.deepEqual(seen.sets, ['', `${second}+`]);
  });

  it('stay members that are not alive when their time lapses or their agent says that they do not answer', async () => {
    const agent = open('lapse');
    const seen = watch('lapse');
    await agent.register({ address: first, alive: true }, 1_000, never);
    await seen.shows(`${first}+`);
    await seen.shows(`${first}-`);

    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+`);
    await agent.register({ address: first, alive: false }, longTtlMs, never);
    await seen.shows(`${first}-`);
    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+`);
  });

  it('have services of containers beside them, and an agent takes away what the one before it left', async () => {
    const seen = watch('beside');
    const crashed = open('beside');
    const service = { id: 'a-80', name: 'beside-web', tags: ['x'], host: '10.0.0.1', port: 80, trouble: undefined };
    assert.equal(await crashed.publish?.(first, [service], never), false);
    await crashed.register({ address: first, alive: true }, longTtlMs, never);
    assert.equal(await crashed.publish?.(first, [service], never), true);
    await until('it is there', async () => (await countPassing('beside-web')) === 1);
    await crashed.publish?.(first, [{ ...service, trouble: 'the container is unhealthy' }], never);
    await until('it is not well', async () => (await countPassing('beside-web')) === 0);
    await crashed.publish?.(first, [service], never);
    await crashed.register({ address: first, alive: false }, longTtlMs, never);
    await seen.shows(`${first}-`);
    await until('it is not well without its engine', async () => (await countPassing('beside-web')) === 0);

    const next = open('beside');
    await next.register({ address: first, alive: true }, longTtlMs, never);
    await until('it is well with its engine', async () => (await countPassing('beside-web')) === 1);
    assert.equal(await next.publish?.(first, [], never), true);
    await until('it is gone', async () => (await countPassing('beside-web')) === 0);
    await next.deregister({ address: first, alive: true }, never);
    await seen.shows('');
  });

  it('stay what they were while Consul is down, and after it came back with its data', async () => {
    const agent = open('restart');
    const seen = watch('restart');
    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+`);
    const setsBefore = seen.sets.length;

    await rig.consul.kill();
    await assert.rejects(agent.register({ address: first, alive: true }, longTtlMs, never));
    await rig.consul.restart();
    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await agent.register({ address: second, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+ ${second}+`);

    assert.ok(seen.sets.slice(setsBefore).every((set) => set.includes(first)));
  });

  it('stay members when Consul has forgotten everything, and are alive again at their next announcement', async () => {
    const agent = open('wipe');
    const seen = watch('wipe');
    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await agent.register({ address: second, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+ ${second}+`);

    await rig.consul.wipe();
    await seen.shows(`${first}- ${second}-`);
    await agent.register({ address: first, alive: true }, longTtlMs, never);
    await seen.shows(`${first}+ ${second}-`);
    await agent.deregister({ address: second, alive: true }, never);
    await seen.shows(`${first}+`);
  });

  it('are reached through another server when the first does not answer', async () => {
    const agent = open('several', `127.0.0.1:1,${rig.consul.address}`);
    const seen = new MembershipWatcher(open('several', `127.0.0.1:1,${rig.consul.address}`));
    watcher = seen;

    await until('the engine is announced', () =>
      agent.register({ address: first, alive: true }, longTtlMs, never).then(
        () => true,
        () => false,
      ),
    );

    await seen.shows(`${first}+`);
  });

  describe('with an agent', () => {
    let engine: Server;
    let agent: Agent;

    before(() => {
      engine = createServer((_req, res) => res.end('OK'));
    });

    afterEach(async () => {
      await agent.stop();
      await close(engine);
    });

    it('are alive while they answer, through death of the engine and loss of the store', async () => {
      const seen = watch('agent');
      const port = await listen(engine);
      agent = new Agent({
        address: first,
        backend: open('agent'),
        probe: createEngineProbe({ host: '127.0.0.1', port }),
        heartbeatMs: 300,
        ttlMs: 3_000,
        delayMs: 0,
        logger,
      });
      agent.start();
      await seen.shows(`${first}+`);

      await close(engine);
      await seen.shows(`${first}-`);
      await listen(engine, port);
      await seen.shows(`${first}+`);
      const setsBefore = seen.sets.length;
      await rig.consul.wipe();
      await until('the engine is announced to the empty store', async () => (await countPassing('agent')) === 1);
      await seen.shows(`${first}+`);
      assert.ok(seen.sets.slice(setsBefore).every((set) => set.includes(first)));
      await agent.stop();
      await seen.shows('');
    });
  });
});

describe('a Consul with access rules and TLS', () => {
  const token = 'b1gs33cr3t-0000-0000-0000-000000000000';
  let rig: Rig;
  let folder: string;
  let tokenFile: string;

  before(async () => {
    await preparePackages(['consul'], () => undefined);
    folder = await mkdtemp(join(tmpdir(), 'shoal-consul-tls-'));
    tokenFile = join(folder, 'token');
    await makeCertificates(folder);
    const hcl = `
      ports { https = 8501 }
      ca_file = "${folder}/consul-agent-ca.pem"
      cert_file = "${folder}/dc1-server-consul-0.pem"
      key_file = "${folder}/dc1-server-consul-0-key.pem"
      verify_incoming_https = true
      acl { enabled = true, default_policy = "deny", tokens { master = "${token}" } }`;
    rig = await startRig({ engines: [], manager: 'none', consul: { hcl } });
  });

  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function open(opts: Readonly<Record<string, string>>): DiscoveryBackend {
    const host = rig.consul.address.replace(/:\d+$/, '');
    const files = {
      'kv.cacertfile': join(folder, 'consul-agent-ca.pem'),
      'kv.certfile': join(folder, 'dc1-cli-consul-0.pem'),
      'kv.keyfile': join(folder, 'dc1-cli-consul-0-key.pem'),
    };
    return openDiscovery(`consul://${host}:8501/secure`, {
      role: 'agent',
      logger,
      discoveryOpts: { ...files, ...opts },
    });
  }

  it('is written with a token that may change in its file, and refuses without one', async () => {
    const entry = { address: first, alive: true };
    await assert.rejects(open({}).register(entry, longTtlMs, never));
    const agent = open({ 'consul.tokenfile': tokenFile });
    await writeFile(tokenFile, 'b1gs33cr3t-0000-0000-0000-00000000bad0\n');
    await assert.rejects(agent.register(entry, longTtlMs, never));

    await writeFile(tokenFile, `${token}\n`);
    await until('the rules are in force', () =>
      agent.register(entry, longTtlMs, never).then(
        () => true,
        () => false,
      ),
    );

    const watcher = new MembershipWatcher(open({ 'consul.token': token }));
    await watcher.shows(`${first}+`);
    await agent.deregister(entry, never);
    await watcher.shows('');
    await watcher.stop();
  });

  async function makeCertificates(cwd: string): Promise<void> {
    const address = '-additional-ipaddress=';
    const networks = [78, 79, 80, 81, 82, 83, 84, 85].map((number) => `${address}10.${number}.0.1`);
    const commands = [
      ['ca', 'create'],
      ['cert', 'create', '-server', ...networks],
      ['cert', 'create', '-cli'],
    ];
    for (const args of commands) {
      await runOrThrow('consul', ['tls', ...args], { cwd, env: { PATH: searchPath('consul') } });
    }
  }
});
