// TLS on both sides of the manager: stock clients with --tlsverify in front of it, engines with --tlsverify behind it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { checksumOf, throughChild, writeRandomFile } from '../support/random-bytes.ts';
import { CertificateAuthority, type Identity } from '../support/rig/certificates.ts';
import type { CommandResult } from '../support/rig/command.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { bridgeAddress, kindVariable, rigKindNamed, stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { RigManager } from '../support/rig/shoal-process.ts';
import { Terminal } from '../support/rig/terminal.ts';
import { planTlsRig } from '../support/rig/tls-rig.ts';
import { asClient, tlsFlags } from '../support/rig/trust.ts';
import { until } from '../support/until.ts';

const mebibytes = 64;
const kind = rigKindNamed(process.env[kindVariable] ?? 'test');
const socket = `${stateDirectory(kind)}/shoal.sock`;

describe('TLS to clients and engines', () => {
  let rig: Rig;
  let folder: string;
  let authority: CertificateAuthority;
  let client: Identity;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-tls-'));
    const plan = await planTlsRig(kind, folder, ['20.10', '28.5']);
    ({ authority, client } = plan);
    rig = await startRig({
      ...plan.options,
      manager: { ...plan.options.manager, listen: [`unix://${socket}`] },
      needs: ['buildx', 'terminal'],
    });
    for (const number of [1, 2]) {
      const talks = ['busybox', 'sh', '-c', 'while :; do date; sleep 1; done'];
      await succeed(`tcp://${rig.manager.address}`, ['run', '-d', '--name', `talker-${number}`, ...talks]);
    }
  });

  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true });
  });

  /** Unix sockets are plain. */
  function environment(address: string): Record<string, string> {
    return { DOCKER_HOST: address, ...(address.startsWith('tcp:') ? asClient(client) : {}) };
  }

  async function succeed(address: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const result = await rig.docker(args, { env: { ...environment(address), ...env } });
    assert.equal(result.code, 0, `docker ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  for (const side of ['TLS', 'the unix socket'] as const) {
    const address = side === 'TLS' ? `tcp://${bridgeAddress(kind)}:2375` : `unix://${socket}`;

    for (const args of [
      ['run', '--rm', '-i', 'busybox', 'cat'],
      ['exec', '-i', 'talker-1', 'cat'],
      ['exec', '-i', 'talker-2', 'cat'],
    ]) {
      it(`carries ${mebibytes} MiB and the end of the input through ${args.slice(0, 3).join(' ')} over ${side}`, async () => {
        const child = rig.clients.spawnDocker(args, { env: environment(address) });
        const { sent, received, code } = await throughChild(child, mebibytes);
        assert.deepEqual({ received, code }, { received: sent, code: 0 });
      });
    }

    it(`copies ${mebibytes} MiB into a container and out of it over ${side}`, async () => {
      const [there, back] = [join(folder, 'there'), join(folder, 'back')];
      await writeRandomFile(there, mebibytes);
      for (const talker of ['talker-1', 'talker-2']) {
        await succeed(address, ['cp', there, `${talker}:/copied`]);
        await succeed(address, ['cp', `${talker}:/copied`, back]);
        assert.equal(await checksumOf(back), await checksumOf(there));
      }
    });

    it(`follows logs and lets go of them over ${side}`, async () => {
      const logs = rig.clients.spawnDocker(['logs', '-f', 'talker-1'], { env: environment(address) });
      const closed = once(logs, 'close');
      let lines = 0;
      logs.stdout?.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1));
      await until('lines come as they are written', () => lines >= 3);
      logs.kill('SIGINT');
      await closed;
    });

    for (const [builder, buildkit] of [
      ['the classic builder', '0'],
      ['BuildKit', '1'],
    ] as const) {
      it(`builds with ${builder} over ${side}`, async () => {
        const context = await mkdtemp(join(folder, 'context-'));
        await writeFile(join(context, 'Dockerfile'), 'FROM busybox\nCOPY big /big\nRUN sha256sum /big > /sum\n');
        await writeRandomFile(join(context, 'big'), mebibytes);
        const tag = `built-${side === 'TLS' ? 'tls' : 'unix'}-${buildkit}`;
        await succeed(address, ['build', '-q', '-t', tag, context], { DOCKER_BUILDKIT: buildkit });
        const sum = await succeed(address, ['run', '--rm', tag, 'cat', '/sum']);
        assert.equal(sum.split(' ')[0], await checksumOf(join(context, 'big')));
      });
    }
  }

  it('gives a terminal to run and exec and lets go at the detach keys over TLS', async () => {
    const host = `tcp://${rig.manager.address}`;
    for (const [commandLine, end] of [
      ['docker run -it --detach-keys ctrl-x,x --name interactive busybox sh', /code 0/],
      ['docker exec -it interactive sh', undefined],
    ] as const) {
      const env = rig.clients.environment({ env: environment(host) });
      const terminal = await Terminal.open({ kind, commandLine, env, columns: 91, rows: 27 });
      try {
        await until('the size is right', async () => {
          await terminal.press('stty size', 'Enter');
          return (await terminal.screen()).includes('27 91');
        });
        await terminal.resize(71, 17);
        await until('the size follows', async () => {
          await terminal.press('stty size', 'Enter');
          return (await terminal.screen()).includes('17 71');
        });
        await terminal.press(...(end === undefined ? ['exit 7', 'Enter'] : ['C-x', 'x']));
        await until('the client has ended', async () => (end ?? /code 7/).test(await terminal.screen()));
      } finally {
        await terminal.close();
      }
    }
    assert.equal(await succeed(host, ['inspect', '-f', '{{.State.Running}}', 'interactive']), 'true\n');
  });

  describe('refuses a client', () => {
    let stranger: CertificateAuthority;

    before(async () => {
      stranger = await CertificateAuthority.create(join(folder, 'others'), 'others');
    });

    async function ps(env: Record<string, string>): Promise<CommandResult> {
      return await rig.docker(['ps'], { env });
    }

    it('that shows no certificate, and tells it so', async () => {
      const { code, stderr } = await rig.docker(['--tlsverify', '--tlscacert', client.ca, 'ps'], {
        env: { DOCKER_CERT_PATH: join(folder, 'nowhere') },
      });
      assert.equal(code, 1);
      assert.match(stderr, /the client is refused: it shows no certificate/);
    });

    it('with a certificate of another authority, which stock clients do not even show', async () => {
      const foreign = { ...(await stranger.issue('client')), ca: client.ca };
      const { code, stderr } = await rig.docker([...tlsFlags(foreign), 'ps']);
      assert.equal(code, 1);
      assert.match(stderr, /the client is refused: it shows no certificate/);

      const url = `https://${rig.manager.address}/_ping`;
      const { status, text } = await httpCall({ method: 'GET', url, tls: foreign });
      assert.equal(status, 403);
      assert.match(text, /the client is refused: its certificate is of another CA/);
      await logSays(/failed the TLS handshake.*(?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT)/s);
    });

    it('with a certificate that has expired', async () => {
      const expired = await authority.issue('expired', { validity: 'expired' });
      assert.match((await ps(asClient(expired))).stderr, /daemon: the client is refused: its certificate has expired/);
      await logSays(/failed the TLS handshake.*CERT_HAS_EXPIRED/s);
    });

    it('that speaks no TLS', async () => {
      assert.equal((await ps({})).code, 1);
      await logSays(/failed the TLS handshake.*ERR_SSL_HTTP_REQUEST/s);
    });

    it('that does not trust the manager, which the client says itself', async () => {
      const foreign = await stranger.issue('distrustful');
      const { code, stderr } = await ps(asClient(foreign));
      assert.equal(code, 1);
      assert.match(stderr, /certificate/);
    });

    async function logSays(what: RegExp): Promise<void> {
      await until(`the log says ${what.source}`, () => what.test(rig.manager.log()));
    }
  });

  it('goes on when its certificates are replaced, and has others towards engines', async () => {
    const files = await authority.issue('renewed', { addresses: [bridgeAddress(kind)] });
    const towardsEngines = await authority.issue('towards-engines', { uses: ['client'] });
    const strangers = await CertificateAuthority.create(join(folder, 'successors'), 'successors');
    const own = ['--engine-tlscert', towardsEngines.cert, '--engine-tlskey', towardsEngines.key];
    const args = [...tlsFlags(files), '--engine-tlscacert', client.ca, ...own];
    const nodes = `nodes://${rig.engines[0]!.address}`;
    const manager = new RigManager(kind, nodes, { args, port: 2394, name: 'manager-2394', tls: client });
    await manager.start();
    try {
      const host = `tcp://${manager.address}`;
      await succeed(host, ['ps']);
      const successor = await strangers.issue('manager', { addresses: [bridgeAddress(kind)] });
      for (const file of ['ca', 'cert', 'key'] as const) await copyFile(successor[file], files[file]);
      const newClient = asClient(await strangers.issue('client'));
      const name = ['run', '--rm', 'busybox', 'echo', 'renewed'];
      await until('clients of the new CA are served', async () => {
        const { code, stdout } = await rig.docker(name, { env: { DOCKER_HOST: host, ...newClient } });
        return code === 0 && stdout === 'renewed\n';
      });
      assert.equal((await rig.docker(['ps'], { env: { DOCKER_HOST: host, ...asClient(client) } })).code, 1);
    } finally {
      await manager.stop();
    }
  });

  it('lets stock clients do what the rules allow, and records it', async () => {
    const [rules, log] = [join(folder, 'rules.yaml'), join(folder, 'audit.log')];
    const ann =
      'who: name:ann, allow: [read, logs, create, run, exec, remove, image], labels: { team: web }, forbid: all';
    await writeFile(rules, `rules:\n  - { name: web team, ${ann} }\n`);
    const args = [...tlsFlags(await authority.issue('strict', { addresses: [bridgeAddress(kind)] }))];
    const nodes = `nodes://${rig.engines[0]!.address}`;
    const env = asClient(await authority.issue('ann'));
    const strict = { args: [...args, '--rules', rules, '--audit-log', log], port: 2395, name: 'manager-2395' };
    const manager = new RigManager(kind, nodes, { ...strict, tls: await authority.issue('probe') });
    await manager.start();
    try {
      const host = { DOCKER_HOST: `tcp://${manager.address}` };
      const docker = async (...words: string[]): Promise<CommandResult> =>
        await rig.docker(words, { env: { ...host, ...env } });
      const run = ['run', '--rm', '--label', 'team=web', '-e', 'PASSWORD=canary-of-a-container'];
      await until('the node is there', async () => (await docker('ps', '-aq')).code === 0);
      assert.equal((await docker(...run, '-i', 'busybox', 'echo', 'hers')).stdout, 'hers\n');
      assert.match(
        (await docker('run', '--rm', 'busybox')).stderr,
        /by rule "web team".* must have the label team=web/,
      );
      assert.match((await docker(...run, '--privileged', 'busybox')).stderr, /privileged container is forbidden/);
      assert.match((await docker(...run, '-v', '/:/host', 'busybox')).stderr, /the path \/ of the host is forbidden/);
      assert.match((await docker('exec', 'talker-1', 'true')).stderr, /talker-1 has not the label team=web/);
      assert.equal((await docker('ps', '-q')).stdout, '');
      assert.match(
        (await rig.docker(['ps'], { env: { ...host, ...asClient(client) } })).stderr,
        /no rule names client/,
      );
      const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
      const entries = lines.map((line) => JSON.parse(line) as { caller: string; route: string; status: number });
      assert.ok(entries.every(({ caller }) => caller === 'ann'));
      assert.equal(`${manager.log()}${lines.join('')}`.includes('canary'), false);
      assert.deepEqual(
        entries.filter(({ route }) => route === '/containers/create').map(({ status }) => status),
        [201, 403, 403, 403],
      );
    } finally {
      await manager.stop();
    }
  });

  describe('shows why there is no trust between it and an engine', () => {
    function towardsEngines(identity: Identity): string[] {
      return [...tlsFlags(identity), '--tls-for', 'engines'];
    }

    async function errorOfNode(args: readonly string[], port: number): Promise<string> {
      const nodes = `nodes://${rig.engines[0]!.address}`;
      const manager = new RigManager(kind, nodes, { args, port, name: `manager-${port}` });
      try {
        await manager.start();
        let error = '';
        await until('info tells the error', async () => {
          const { stdout } = await rig.docker(['info'], { env: { DOCKER_HOST: `tcp://${manager.address}` } });
          error = / Error: (.+)/.exec(stdout)?.[1] ?? '';
          return error !== '' && !error.includes('(none)');
        });
        return error;
      } finally {
        await manager.stop();
      }
    }

    it('whose certificate is of another authority', async () => {
      const others = await CertificateAuthority.create(join(folder, 'third'), 'third');
      assert.match(await errorOfNode(towardsEngines(await others.issue('manager')), 2391), /certificate/);
    });

    it('that refuses its expired certificate', async () => {
      const expired = await authority.issue('expired-manager', { validity: 'expired' });
      assert.match(await errorOfNode(towardsEngines(expired), 2392), /certificate|alert/);
    });

    it('that wants TLS from a manager that speaks none', async () => {
      assert.match(await errorOfNode([], 2393), /HTTP/);
    });
  });
});

describe('TLS to clients alone', () => {
  let rig: Rig;
  let folder: string;
  let client: Identity;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-tls-'));
    const authority = await CertificateAuthority.create(join(folder, 'ours'), 'ours');
    client = await authority.issue('client');
    const own = await authority.issue('manager', { addresses: [bridgeAddress(kind)] });
    rig = await startRig({
      engines: ['28.5'],
      discovery: 'nodes',
      manager: { args: [...tlsFlags(own), '--tls-for', 'clients'], tls: client },
    });
  });

  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true });
  });

  it('runs containers on plain engines for clients with certificates', async () => {
    const args = ['run', '--rm', '-i', 'busybox', 'cat'];
    const { sent, received, code } = await throughChild(rig.clients.spawnDocker(args, { env: asClient(client) }), 8);
    assert.deepEqual({ received, code }, { received: sent, code: 0 });
  });
});
