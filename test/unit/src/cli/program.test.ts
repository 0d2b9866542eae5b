import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { CaOptions } from '../../../../src/cli/ca-command.ts';
import type { JoinOptions } from '../../../../src/cli/join-command.ts';
import type { ListOptions } from '../../../../src/cli/list-command.ts';
import type { ManageOptions } from '../../../../src/cli/manage-command.ts';
import { runCommandLine } from '../../../../src/cli/program.ts';
import { otherTlsIdentity, tlsIdentity } from '../../../support/tls-identity.ts';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly manage?: ManageOptions;
  readonly join?: JoinOptions;
  readonly list?: ListOptions;
  readonly ca?: CaOptions;
}

async function run(line: string, env: Record<string, string> = {}): Promise<Run> {
  const seen: { manage?: ManageOptions; join?: JoinOptions; list?: ListOptions; ca?: CaOptions } = {};
  let out = '';
  let err = '';
  const code = await runCommandLine(
    line.split(' ').filter((word) => word !== ''),
    '1.2.3',
    {
      manage: async (options) => {
        await Promise.resolve();
        seen.manage = options;
      },
      join: async (options) => {
        await Promise.resolve();
        seen.join = options;
      },
      list: async (options) => {
        await Promise.resolve();
        seen.list = options;
      },
      health: () => Promise.resolve(),
      ca: async (options) => {
        await Promise.resolve();
        seen.ca = options;
      },
    },
    {
      env,
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    },
  );
  return { code, out, err, ...seen };
}

async function managed(line: string, env: Record<string, string> = {}): Promise<ManageOptions> {
  const { code, err, manage } = await run(line, env);
  assert.equal(code, 0, err);
  return manage!;
}

describe('the command line', () => {
  it('has the defaults of the ancestor, and embedded discovery when none is named', async () => {
    const manage = await managed('manage');
    assert.equal(manage.discovery, undefined);
    assert.deepEqual(manage.listen, [{ kind: 'tcp', host: '127.0.0.1', port: 2375 }]);
    assert.equal(manage.strategy, 'spread');
    assert.deepEqual(manage.cluster, {
      overcommit: 0.05,
      createRetry: 0,
      createDoubtMs: 30_000,
      cpuMode: 'engine',
      load: 'active',
      spreadsReplicas: true,
      unseenNodes: 'known',
    });
    assert.equal(manage.networks, 'auto');
    assert.deepEqual([manage.refreshMinMs, manage.refreshMaxMs, manage.failureRetry], [30_000, 60_000, 3]);
  });

  it('makes one of several managers with --replication, which others must reach', async () => {
    assert.equal((await managed('manage --advertise 10.0.0.1:2375 consul://c:8500/x')).replication, undefined);
    const one = await managed('manage --replication --addr 10.0.0.1:2375 consul://c:8500/x');
    assert.deepEqual(one.replication, { advertise: '10.0.0.1:2375', ttlMs: 20_000 });
    const other = await managed('manage -replication -replication-ttl 6s -advertise m:1 consul://c:8500/x');
    assert.deepEqual(other.replication, { advertise: 'm:1', ttlMs: 6_000 });
  });

  it('replaces the default address by the first -H and adds the later ones', async () => {
    const manage = await managed('m -H tcp://10.0.0.1:4000 -H unix:///run/shoal.sock -H tcp://[::1]:4001 -H :4002');
    assert.deepEqual(manage.listen, [
      { kind: 'tcp', host: '10.0.0.1', port: 4000 },
      { kind: 'unix', path: '/run/shoal.sock' },
      { kind: 'tcp', host: '::1', port: 4001 },
      { kind: 'tcp', host: '0.0.0.0', port: 4002 },
    ]);
  });

  it('reads units, aliases and options of the cluster', async () => {
    const manage = await managed(
      '--debug manage --strategy binpacking -f health -f port --heartbeat 500ms --cluster-opt swarm.overcommit=-0.1 --cluster-opt swarm.createretry=2 --cluster-opt swarm.createdoubt=5s --cluster-opt swarm.load=all --cluster-opt swarm.spreadreplicas=off --cluster-opt swarm.unseen=refuse nodes://a:1',
    );
    assert.equal(manage.logLevel, 'debug');
    assert.equal(manage.strategy, 'binpack');
    assert.deepEqual(manage.filters, ['health', 'port']);
    assert.equal(manage.heartbeatMs, 500);
    assert.deepEqual(manage.cluster, {
      overcommit: -0.1,
      createRetry: 2,
      createDoubtMs: 5_000,
      cpuMode: 'engine',
      load: 'all',
      spreadsReplicas: false,
      unseenNodes: 'refuse',
    });
    assert.equal(manage.discovery, 'nodes://a:1');
  });

  it('has neither rules nor an audit log unless they are named', async () => {
    const plain = await managed('manage');
    assert.deepEqual([plain.rules, plain.auditLog, plain.maxConnectionsPerClient], [undefined, undefined, 2_000]);
    assert.equal(plain.maxRequestsPerSecond, undefined);
    const strict = await managed('manage --rules /r.yaml --audit-log - --max-connections-per-client 10');
    assert.deepEqual([strict.rules, strict.auditLog, strict.maxConnectionsPerClient], ['/r.yaml', '-', 10]);
  });

  it('takes long flags with one dash', async () => {
    const manage = await managed(
      '-l warn -experimental manage -cluster-opt swarm.createretry=1 -heartbeat=2s nodes://a:1',
    );
    assert.equal(manage.logLevel, 'warn');
    assert.equal(manage.cluster.createRetry, 1);
    assert.equal(manage.heartbeatMs, 2_000);
  });

  it('starts every parse from the defaults', async () => {
    await run('manage -H tcp://10.0.0.1:4000');
    const manage = await managed('manage -H tcp://10.0.0.2:4000');
    assert.deepEqual(manage.listen, [{ kind: 'tcp', host: '10.0.0.2', port: 4000 }]);
  });

  it('takes the discovery of join and list from the environment', async () => {
    const join = (await run('join --addr 10.0.0.2:2375', { SWARM_DISCOVERY: 'consul://c:8500/x' })).join!;
    assert.deepEqual([join.advertise, join.discovery], ['10.0.0.2:2375', 'consul://c:8500/x']);
    const list = (await run('l --timeout 2s file:///etc/nodes', { SWARM_DISCOVERY: 'consul://c:8500/x' })).list!;
    assert.deepEqual([list.discovery, list.timeoutMs], ['file:///etc/nodes', 2_000]);
  });

  it('opens the engine where the agent listens, and announces that address', async () => {
    const join = (await run('join --listen 10.0.0.2:2376 manager:2375')).join!;
    assert.equal(join.advertise, '10.0.0.2:2376');
    assert.deepEqual(join.door, { listen: { kind: 'tcp', host: '10.0.0.2', port: 2376 }, tls: undefined });
    assert.deepEqual(join.engine, { kind: 'unix', path: '/var/run/docker.sock' });
    const everywhere = '--listen 0.0.0.0:2376 --advertise node-2:2376 --engine unix:///run/podman.sock';
    const other = (await run(`join ${everywhere} manager:2375`)).join!;
    assert.deepEqual([other.advertise, other.engine], ['node-2:2376', { kind: 'unix', path: '/run/podman.sock' }]);
    assert.equal((await run('join --listen [::1]:2376 manager:2375')).join!.advertise, '[::1]:2376');
  });

  it('asks the engine where managers do when the agent only announces it', async () => {
    const join = (await run('join --advertise 10.0.0.2:2375 manager:2375')).join!;
    assert.deepEqual([join.door, join.engine], [undefined, undefined]);
    const beside = (await run('join --advertise 10.0.0.2:2375 --engine tcp://127.0.0.1:2375 manager:2375')).join!;
    assert.deepEqual(beside.engine, { kind: 'tcp', host: '127.0.0.1', port: 2375 });
  });

  it('tells of the node what it is told to', async () => {
    const told = '--label zone=a --label rack= --label-file /l --label-script /s --reserve cpus=0.5,memory=512m';
    const join = (await run(`join --advertise a:1 ${told} --state-dir /var/x m:1`)).join!;
    assert.deepEqual(join.labels, { zone: 'a', rack: '' });
    assert.deepEqual([join.labelFile, join.labelScript, join.stateDirectory], ['/l', '/s', '/var/x']);
    assert.deepEqual(join.reserve, { nanoCpus: 5e8, memoryBytes: 512 * 1024 * 1024 });
    const plain = (await run('join --advertise a:1 m:1')).join!;
    assert.deepEqual(plain.reserve, { nanoCpus: 0, memoryBytes: 0 });
    assert.equal(plain.stateDirectory, undefined);
    assert.deepEqual([plain.services, (await run('join --services --listen a:1 m:1')).join!.services], [false, true]);
    assert.equal((await run('join --listen a:1 m:1')).join!.stateDirectory, '/var/lib/shoal');
  });

  it('prints its version and its help with exit code 0', async () => {
    assert.deepEqual(await run('--version'), { code: 0, out: 'shoal version 1.2.3\n', err: '' });
    const help = await run('help');
    assert.equal(help.code, 0);
    assert.match(help.out, /manage.*\n.*join/s);
  });

  describe('for TLS', () => {
    let folder: string;
    const path = (name: string): string => joinPath(folder, name);

    before(() => {
      folder = mkdtempSync(joinPath(tmpdir(), 'shoal-flags-'));
      for (const name of ['ca.pem', 'cert.pem', 'server.pem']) writeFileSync(path(name), tlsIdentity.cert);
      for (const name of ['key.pem', 'server-key.pem']) writeFileSync(path(name), tlsIdentity.key);
      writeFileSync(path('other-key.pem'), otherTlsIdentity.key);
    });

    after(() => {
      rmSync(folder, { recursive: true });
    });

    const given = (): string =>
      `--tlscacert ${path('ca.pem')} --tlscert ${path('cert.pem')} --tlskey ${path('key.pem')}`;
    const client = () => ({ ca: path('ca.pem'), cert: path('cert.pem'), key: path('key.pem') });
    const server = () => ({ ca: path('ca.pem'), cert: path('server.pem'), key: path('server-key.pem') });

    it('takes one certificate for both sides, or another one towards engines', async () => {
      const one = await managed(`manage --tlsverify ${given()}`);
      assert.deepEqual(one.tls, {
        clients: { files: client(), verify: true },
        engines: { files: client(), verify: true },
      });
      const own = `--engine-tlscert ${path('server.pem')} --engine-tlskey ${path('server-key.pem')}`;
      const two = await managed(`manage --tlsverify ${given()} ${own}`);
      assert.deepEqual([two.tls.clients?.files, two.tls.engines?.files], [client(), server()]);
      const half = await managed(`manage --tlsverify ${given()} --tls-for engines`);
      assert.deepEqual([half.tls.clients, half.tls.engines?.files], [undefined, client()]);
      const believing = await managed(`manage --tls ${given()}`);
      assert.deepEqual(believing.tls.engines, { files: { ...client(), ca: undefined }, verify: false });
    });

    it('takes the environment of docker, and of a folder of Docker Machine each side its own', async () => {
      const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
      const { tls } = await managed('manage', env);
      assert.deepEqual(tls, { clients: { files: server(), verify: true }, engines: { files: client(), verify: true } });
      assert.deepEqual((await managed('manage', { ...env, DOCKER_TLS_VERIFY: '' })).tls.clients, undefined);
      const flagged = await managed(`manage --tlscert ${path('cert.pem')} --tlskey ${path('key.pem')}`, env);
      assert.deepEqual(flagged.tls.clients?.files, client());
      const { join } = await run('join --listen 10.0.0.2:2376 m:1', env);
      assert.deepEqual(join?.door?.tls, { files: server(), verify: true });
      assert.equal((await run('join --advertise a:1 m:1', env)).join?.door, undefined);
    });

    const wrong: readonly (readonly [flags: () => string, says: RegExp])[] = [
      [
        () => `--tls --tlscert ${path('cert.pem')} --tlskey ${path('other-key.pem')}`,
        /--tlscert or --tlskey.*mismatch/,
      ],
      [
        () => `--tls ${given()} --engine-tlscert ${path('cert.pem')}`,
        /--engine-tlscert and --engine-tlskey need each other/,
      ],
      [() => `--tls ${given()} --tls-for clients --engine-tlscacert ${path('ca.pem')}`, /contradict --tls-for clients/],
      [() => `--engine-tlscacert ${path('ca.pem')}`, /--engine-tlscacert.* need --tls or --tlsverify/],
      [() => `--tlsverify ${given()} --engine-tlscacert ${path('absent')}`, /--engine-tlscacert: ENOENT/],
      [() => `--tlsverify ${given()} --engine-tlscacert ${path('key.pem')}`, /--engine-tlscacert, .*PEM/],
      [() => `--tlsverify --tlscert ${path('cert.pem')} --tlskey ${path('key.pem')}`, /--tlsverify needs --tlscacert/],
    ];
    for (const [index, [flags, says]] of wrong.entries()) {
      it(`refuses what cannot be used, in one line with exit code 2 (${index + 1})`, async () => {
        const { code, err } = await run(`manage ${flags()}`);
        assert.deepEqual([code, err.trimEnd().split('\n').length], [2, 1]);
        assert.match(err, says);
      });
    }
  });

  it('makes certificates under the name of their kind, or the one that is given', async () => {
    const { ca: authority } = await run('ca init');
    assert.deepEqual(authority, { kind: 'init', authority: 'ca', name: 'Shoal', days: 3_650 });
    const { ca: server } = await run('ca server --san 10.0.0.1 --san manager.example --days 30 --ca /x');
    assert.deepEqual(server, {
      ...{ kind: 'server', authority: '/x', out: 'server', name: 'server', units: [], days: 30 },
      alternativeNames: ['10.0.0.1', 'manager.example'],
    });
    const { ca: client } = await run('ca client --name ann --ou developers --ou leads');
    assert.deepEqual(client, {
      ...{ kind: 'client', authority: 'ca', out: 'ann', name: 'ann', units: ['developers', 'leads'], days: 365 },
      alternativeNames: [],
    });
  });

  const mistakes: readonly { line: string; says: RegExp }[] = [
    { line: 'manage --nonsense', says: /--nonsense/ },
    { line: 'manage --strategy best', says: /--strategy.*best.*spread, binpack, random/ },
    { line: 'manage -f sunshine', says: /--filter.*sunshine.*health/ },
    { line: 'manage --heartbeat 5', says: /--heartbeat.*duration.*1s/ },
    { line: 'manage --engine-failure-retry 0', says: /--engine-failure-retry.*at least 1/ },
    { line: 'manage --engine-refresh-retry 5', says: /--engine-refresh-retry.*3/ },
    { line: 'manage -H http://x', says: /--host.*tcp:\/\/HOST:PORT or unix:\/\/PATH/ },
    { line: 'manage -H tcp://x:99999', says: /--host.*tcp:\/\/HOST:PORT/ },
    { line: 'manage --cluster-opt swarm.overcommit=-1', says: /swarm.overcommit=-1.*larger than -1/ },
    { line: 'manage --cluster-opt swarm.load=some', says: /swarm.load=some.*active or all/ },
    { line: 'manage --cluster-opt swarm.unseen=maybe', says: /swarm.unseen=maybe.*refuse or ignore/ },
    { line: 'manage --cluster-opt swarm.spreadreplicas=1', says: /swarm.spreadreplicas=1.*on or off/ },
    { line: 'manage --cluster-opt swarm.sleep=1', says: /swarm.sleep.*swarm.overcommit/ },
    { line: 'manage --tls', says: /--tlscert and --tlskey/ },
    { line: 'manage --max-connections-per-client 0', says: /--max-connections-per-client.*at least 1/ },
    { line: 'manage --tls-for clients', says: /--tls-for needs --tls/ },
    { line: 'manage --tls --tls-for friends', says: /--tls-for.*friends.*both, clients or engines/ },
    { line: 'manage --cluster-network wide', says: /--cluster-network.*wide.*auto, overlay or bridge/ },
    { line: 'manage --engine-refresh-min-interval 2m', says: /--engine-refresh-min-interval/ },
    { line: 'manage a:1 b:2', says: /arguments/ },
    { line: 'join nodes://a:1', says: /--advertise/ },
    { line: 'manage --replication consul://c:8500/x', says: /--replication needs --advertise, HOST:PORT/ },
    { line: 'manage --replication --advertise 0.0.0.0:1 x', says: /--advertise.*HOST:PORT/ },
    { line: 'manage --replication-ttl 1s', says: /--replication-ttl.*at least 2000ms/ },
    { line: 'join --listen 0.0.0.0:2376 a:1', says: /--listen names every address.*--advertise/ },
    { line: 'join --listen [::]:2376 a:1', says: /--listen names every address.*--advertise/ },
    { line: 'join --listen unix:///x.sock a:1', says: /--listen.*HOST:PORT/ },
    { line: 'join --listen 10.0.0.2:0 a:1', says: /--listen.*HOST:PORT/ },
    { line: 'join --listen a:1 --engine docker.sock a:1', says: /--engine.*unix:\/\/PATH or tcp:\/\/HOST:PORT/ },
    { line: 'join --listen a:1 --tlsverify a:1', says: /--tlscert/ },
    { line: 'join --advertise a:1 --tls --tlscert x --tlskey y a:1', says: /--tlscert: ENOENT/ },
    { line: 'join --advertise a:1 --label =x m:1', says: /--label.*KEY=VALUE/ },
    { line: 'join --advertise a:1 --reserve half m:1', says: /--reserve.*cpus=NUMBER,memory=BYTES/ },
    { line: 'join --advertise 10.0.0.1 nodes://a:1', says: /--advertise.*HOST:PORT/ },
    { line: 'join --advertise 0.0.0.0:2375 nodes://a:1', says: /--advertise.*every interface/ },
    {
      line: 'join --advertise a:1 --ttl 5s --heartbeat 5s nodes://a:1',
      says: /--ttl must be strictly superior to the heartbeat value/,
    },
    { line: 'manage --engine-refresh-min-interval=-10s a:1', says: /min refresh interval should be a positive number/ },
    { line: 'manage --engine-refresh-max-interval 0s a:1', says: /max refresh interval cannot be less than min/ },
    { line: 'manage --engine-failure-retry=-1 a:1', says: /invalid failure retry count/ },
    { line: 'manage --cluster-opt swarm.overcommit=-2 a:1', says: /larger than -1, -2.000000 is invalid/ },
    { line: 'manage --cluster-opt swarm.createdoubt=1ms a:1', says: /a duration of at least 1s/ },
    { line: 'manage --cluster-opt swarm.createretry=-1 a:1', says: /can not be negative, -1 is invalid/ },
    { line: 'join --advertise= a:1', says: /missing mandatory --advertise flag/ },
    { line: 'join --advertise a:b1 a:1', says: /--advertise should be of the form ip:port or hostname:port/ },
    { line: 'join --advertise a:1 --delay=-30s a:1', says: /--delay should not be a negative number/ },
    { line: 'join --advertise a:1 --heartbeat=-10s a:1', says: /--heartbeat should be at least one second/ },
    { line: 'list --timeout 0s a:1', says: /--timeout should be a positive number/ },
    { line: 'join --advertise a:1', says: /<discovery> is missing/ },
    { line: 'list', says: /<discovery> is missing/ },
    { line: 'ca server', says: /--san is missing/ },
    { line: 'ca agent --san 10.0.0.1:2376', says: /--san.*without a port/ },
    { line: 'ca init --days 0', says: /--days.*from 1 to 36500/ },
    { line: 'ca client --name=', says: /--name.*1 to 64/ },
    { line: 'explode', says: /explode/ },
  ];
  for (const { line, says } of mistakes) {
    it(`refuses "${line}" in one line with exit code 2`, async () => {
      const result = await run(line);
      assert.equal(result.code, 2);
      assert.match(result.err, says);
      assert.equal(result.err.trimEnd().split('\n').length, 1, result.err);
      assert.equal(result.out, '');
    });
  }
});
