// Engines that listen on their unix sockets alone, and agents that open them to the manager over mutual TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { throughChild } from '../support/random-bytes.ts';
import { CertificateAuthority, type Identity } from '../support/rig/certificates.ts';
import { systemEnvironment } from '../support/rig/command.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { kindVariable, nodeAddress, rigKindNamed } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

const mebibytes = 64;
/** Far more than it needs; what it passes on must not stay with it. */
const maxAgentBytes = 80 * 1024 * 1024;
const kind = rigKindNamed(process.env[kindVariable] ?? 'test');

function tlsFlags({ ca, cert, key }: Identity): string[] {
  return ['--tlsverify', '--tlscacert', ca, '--tlscert', cert, '--tlskey', key];
}

describe('engines that only their agents reach', () => {
  let rig: Rig;
  let folder: string;
  let manager: Identity;
  let labels: string;
  let talker: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-door-'));
    labels = join(folder, 'labels');
    await writeFile(labels, 'disk=ssd\n');
    const authority = await CertificateAuthority.create(join(folder, 'ours'), 'ours');
    const addresses = [1, 2].map((number) => nodeAddress(kind, number));
    const [own, agent] = await Promise.all([authority.issue('manager'), authority.issue('agent', { addresses })]);
    manager = own;
    rig = await startRig({
      engines: [
        { release: '20.10', isClosed: true },
        { release: '28.5', isClosed: true },
      ],
      manager: { args: [...tlsFlags(own), '--tls-for', 'engines'] },
      agentArgs: [...tlsFlags(agent), '--label-file', labels],
    });
    const talks = ['busybox', 'sh', '-c', 'while :; do date; sleep 1; done'];
    talker = (await succeed(['run', '-d', '-e', 'constraint:node==node-1', '--name', 'talker', ...talks])).trim();
  });

  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true });
  });

  async function succeed(args: readonly string[]): Promise<string> {
    const result = await rig.docker(args);
    assert.equal(result.code, 0, `docker ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  it('leave no port of their machines open but that of the agent', () => {
    for (const { machine } of rig.engines) assert.deepEqual(listeningPorts(machine.pid), [2375]);
  });

  it('are closed to whoever has no certificate', async () => {
    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://${rig.engines[0]!.address}/info`;
      await assert.rejects(httpCall({ method: 'GET', url }));
    }
    const url = `https://${rig.engines[0]!.address}/info`;
    assert.equal((await httpCall({ method: 'GET', url, tls: manager })).status, 200);
  });

  it(`carry ${mebibytes} MiB and the end of the input through docker run -i and exec -i`, async () => {
    await succeed(['run', '-d', '--name', 'sleeper', '-e', 'constraint:node==node-2', 'busybox', 'sleep', '600']);
    for (const args of [
      ['run', '--rm', '-i', '-e', 'constraint:node==node-1', 'busybox', 'cat'],
      ['exec', '-i', 'sleeper', 'cat'],
    ]) {
      const { sent, received, code } = await throughChild(rig.clients.spawnDocker(args), mebibytes);
      assert.deepEqual({ received, code }, { received: sent, code: 0 });
    }
  });

  it('are chosen by labels that change while they run', async () => {
    await succeed(['run', '--rm', '-e', 'constraint:disk==ssd', 'busybox', 'true']);
    await writeFile(labels, 'disk=hdd\n');
    await until('the change counts', async () => {
      const { code } = await rig.docker(['run', '--rm', '-e', 'constraint:disk==hdd', 'busybox', 'true']);
      return code === 0;
    });
    assert.match(await succeed(['info']), /disk=hdd/);
  });

  it('are not given ports that programs of their machines hold', async () => {
    const [first, second] = rig.engines;
    const listener = await first!.machine.start({
      name: 'listener',
      command: process.execPath,
      args: ['-e', 'require("node:net").createServer().listen(8088)'],
      env: systemEnvironment(),
    });
    await until('the port counts', async () => {
      const { json } = await rig.api('POST', '/containers/create', {
        ...{ Image: 'busybox', Env: [`constraint:node==${first!.name}`] },
        HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8088' }] } },
      });
      const { Id: id } = json as { readonly Id?: string };
      if (id !== undefined) await rig.api('DELETE', `/containers/${id}`);
      return id === undefined;
    });
    const id = (await succeed(['run', '-d', '-p', '8088:80', 'busybox', 'sleep', '600'])).trim();
    assert.equal((await second!.api('GET', `/containers/${id}/json`)).status, 200);
    await listener.stop();
  });

  it('keep an id of their own', async () => {
    const { text } = await rig.api('GET', '/info');
    for (const { machine } of rig.engines) {
      assert.ok(text.includes(readFileSync(`${machine.directory}/shoal/node-id`, 'utf8').trim()));
    }
  });

  it('follow logs', async () => {
    const logs = rig.clients.spawnDocker(['logs', '-f', 'talker']);
    const closed = once(logs, 'close');
    let lines = 0;
    logs.stdout?.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1));
    await until('lines come as they are written', () => lines >= 3);
    logs.kill('SIGINT');
    await closed;
  });

  it('build', async () => {
    await writeFile(join(folder, 'Dockerfile'), 'FROM busybox\nRUN echo built > /built\n');
    await succeed(['build', '-t', 'built', '-f', join(folder, 'Dockerfile'), folder]);
    assert.equal(await succeed(['run', '--rm', 'built', 'cat', '/built']), 'built\n');
  });

  it('are announced as dead with their engine, by an agent that stays, and alive as soon as it is back', async () => {
    await rig.engines[1]!.kill();
    await until('node-2 is not healthy', async () => (await rig.manager.healthyNodes()).length === 1, 20_000);
    await rig.engines[1]!.restart();
    await rig.manager.waitUntilHealthy(2);
    assert.equal(rig.agents[1]!.isRunning, true);
  });

  it('are unhealthy without their agents, keep their containers, and return with them', async () => {
    await rig.agents[0]!.kill();
    await until('node-1 is not healthy', async () => (await rig.manager.healthyNodes()).length === 1, 20_000);
    assert.match(await succeed(['ps', '--filter', 'name=talker']), /Host Down/);
    await rig.agents[0]!.start();
    await rig.manager.waitUntilHealthy(2);
    assert.equal((await succeed(['ps', '-q', '--no-trunc', '--filter', 'name=talker'])).trim(), talker);
  });

  it('cost little memory for their agents', () => {
    const sizes = rig.agents.map(({ pid }) => privateBytes(pid));
    assert.ok(Math.max(...sizes) < maxAgentBytes, sizes.join(' '));
  });
});

/** The TCP ports that somebody listens on in the network of a process, but for those of loopback. */
function listeningPorts(pid: number): number[] {
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n'));
  const listening = lines.flatMap((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    const [host, port] = (local ?? '').split(':');
    return state === '0A' && host !== '0100007F' ? [Number.parseInt(port ?? '', 16)] : [];
  });
  return [...new Set(listening)].sort((a, b) => a - b);
}

/** Without the pages of the interpreter itself, which all its processes share. */
function privateBytes(pid: number): number {
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
