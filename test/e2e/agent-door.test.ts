// A cluster in which nothing is said in the clear: engines on their unix sockets alone, agents that open them over mutual
// TLS, Consul with TLS and ACLs, a manager that knows its clients. SHOAL_E2E_TRUST=tls runs every other file so, too.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { throughChild } from '../support/random-bytes.ts';
import type { Identity } from '../support/rig/certificates.ts';
import { systemEnvironment, type CommandResult } from '../support/rig/command.ts';
import { countConnectionsTo } from '../support/rig/connections.ts';
import { httpCall, type HttpCall } from '../support/rig/http-call.ts';
import { bridgeAddress } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { asClient } from '../support/rig/trust.ts';
import { until } from '../support/until.ts';

const mebibytes = 64;
/** Far more than it needs; what it passes on must not stay with it. */
const maxAgentBytes = 80 * 1024 * 1024;
const readers = 200;

describe('engines that only their agents reach', () => {
  let rig: Rig;
  let folder: string;
  let labels: string;
  let talker: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-door-'));
    labels = join(folder, 'labels');
    await writeFile(labels, 'disk=ssd\n');
    rig = await startRig({ engines: ['20.10', '28.5'], trust: 'tls', agentArgs: ['--label-file', labels] });
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

  it('are closed to whoever shows no good certificate, and so are the manager and the store', async () => {
    const { tls: client } = rig.clients.peer(rig.manager.address);
    const expired = await rig.issue('expired', { validity: 'expired' });
    for (const address of [rig.engines[0]!.address, rig.manager.address, rig.consul.address]) {
      await isRefused({ method: 'GET', url: `http://${address}/info` });
      for (const tls of [expired, undefined]) await isRefused({ method: 'GET', url: `https://${address}/info`, tls });
    }
    // Besides, Consul's servers speak to each other: mutual TLS, and gossip with a key.
    assert.deepEqual(listeningPorts(process.pid, bridgeAddress(rig.kind)), [2375, 8300, 8301, 8500]);
    const url = `https://${rig.engines[0]!.address}/info`;
    assert.equal((await httpCall({ method: 'GET', url, tls: client })).status, 200);
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

  it(`show logs to ${readers} who follow them, and keep no connection of those who left`, async () => {
    const sockets = (): readonly number[] => [
      countConnectionsTo(rig.engines[0]!.address),
      ...[rig.manager.pid, rig.agents[0]!.pid].map(openSockets),
    ];
    const before = sockets();
    const followed = await Promise.all(Array.from({ length: readers }, () => follow('talker')));
    await until('everybody reads', () => followed.every(({ lines }) => lines() > 1));
    assert.ok(sockets()[2]! >= 2 * readers, `the agent has both sides of each: ${String(before)} ${String(sockets())}`);
    for (const { leave } of followed) leave();
    await until('the sockets are gone', () => sockets().every((count, index) => count <= before[index]! + 10), 20_000);
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

  it('obey the rules for whoever calls, also when one manager passes the call on to another', async () => {
    const rules = join(folder, 'rules.yaml');
    const ann = 'allow: [read, logs, create, run, exec, remove], labels: { team: web }, forbid: all';
    await writeFile(
      rules,
      `managers: [name:manager]\nrules:\n  - { name: operators, who: name:client, allow: all }\n  - { name: web team, who: name:ann, ${ann} }\n`,
    );
    const managers = [2385, 2395].map((port) => {
      const elected = ['--replication', '--replication-ttl', '8s', '--advertise', `${bridgeAddress(rig.kind)}:${port}`];
      const args = [...elected, '--rules', rules, '--audit-log', join(folder, `audit-${port}`)];
      return rig.newManager(rig.consul.url, { args, port, name: `manager-${port}` });
    });
    try {
      await Promise.all(managers.map((manager) => manager.start()));
      await Promise.all(managers.map((manager) => manager.waitUntilHealthy(2)));
      const replica = await until('one of them follows the other', async () => {
        const roles = await Promise.all(managers.map((manager) => manager.role()));
        return managers.find((_, index) => roles[index]?.startsWith('replica of 10.'));
      });
      const as = async (who: Identity, ...args: string[]): Promise<CommandResult> =>
        await rig.docker(args, { address: replica.address, env: asClient(who) });
      const [her, stranger] = await Promise.all([rig.issue('ann'), rig.issue('eve')]);
      const run = ['run', '--rm', '--label', 'team=web'];
      assert.equal((await as(her, ...run, 'busybox', 'echo', 'hers')).stdout, 'hers\n');
      assert.match((await as(her, 'run', '--rm', 'busybox')).stderr, /by rule "web team".* the label team=web/);
      assert.match((await as(her, ...run, '--privileged', 'busybox')).stderr, /a privileged container is forbidden/);
      assert.match((await as(her, 'exec', 'talker', 'true')).stderr, /talker has not the label team=web/);
      assert.match((await as(stranger, 'ps')).stderr, /no rule names eve/);

      const primary = managers.find((manager) => manager !== replica)!;
      const entries = (await readFile(join(folder, `audit-${primary.address.split(':')[1] ?? ''}`), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { caller: string; address: string; route: string; status: number });
      assert.deepEqual([...new Set(entries.map(({ caller }) => caller))], ['ann']);
      const created = entries.filter(({ route }) => route === '/containers/create');
      assert.deepEqual(
        created.map(({ status }) => status),
        [201, 403, 403],
      );
    } finally {
      await Promise.all(managers.map((manager) => manager.stop()));
    }
  });

  interface Following {
    readonly lines: () => number;
    readonly leave: () => void;
  }

  async function follow(container: string): Promise<Following> {
    const outgoing = rig.manager.request(`/containers/${container}/logs?follow=1&stdout=1&tail=1`).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(incoming.statusCode, 200);
    let lines = 0;
    incoming.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1));
    incoming.on('error', () => undefined);
    return { lines: () => lines, leave: () => outgoing.destroy() };
  }
});

/** Without an answer, or with one that says no more than why. */
async function isRefused(call: HttpCall): Promise<void> {
  const status = await httpCall(call).then(
    (answer) => answer.status,
    () => 'no answer',
  );
  assert.ok(['no answer', 400, 403].includes(status), `${call.url}: ${status}`);
}

/** The TCP ports that somebody listens on in the network of a process, but for those of loopback; or at `address` alone. */
function listeningPorts(pid: number, address?: string): number[] {
  const wanted = address
    ?.split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n'));
  const listening = lines.flatMap((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    const [host, port] = (local ?? '').split(':');
    const isMeant = wanted === undefined ? host !== '0100007F' : host === wanted;
    return state === '0A' && isMeant ? [Number.parseInt(port ?? '', 16)] : [];
  });
  return [...new Set(listening)].sort((a, b) => a - b);
}

function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Without the pages of the interpreter itself, which all its processes share. */
function privateBytes(pid: number): number {
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
