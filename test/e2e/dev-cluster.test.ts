// The image of the Dockerfile and the cluster of docker-compose.dev.yml, built and run on a real engine. It takes minutes
// on a slow machine, so it runs when asked for: SHOAL_DEV_CLUSTER=1 npm run e2e test/e2e/dev-cluster.test.ts
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { busyboxImageArchive } from '../support/rig/busybox-image.ts';
import { run, type CommandResult } from '../support/rig/command.ts';
import { projectDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { loadStandInImages } from '../support/rig/stand-in-images.ts';
import { until } from '../support/until.ts';

const isAskedFor = process.env['SHOAL_DEV_CLUSTER'] !== undefined;

(isAskedFor ? describe : describe.skip)('the development cluster', () => {
  let rig: Rig;

  before(async function () {
    this.timeout(300_000);
    rig = await startRig({ engines: ['28.5'], manager: 'none', trust: 'none', compose: true, needs: ['consul'] });
    await loadStandInImages(rig.engines[0]!);
  });

  after(async () => {
    await rig.stop();
  });

  it('comes up from one command, every part of it healthy', async function () {
    this.timeout(300_000);
    await dev(['up', '-d', '--build']);
    await until('eight containers are healthy', async () => (await unhealthy()).length === 0, 150_000).catch(
      async (error: unknown) => {
        throw new Error(JSON.stringify(await unhealthy()).slice(0, 3_000), { cause: error });
      },
    );
  });

  it('runs manager and agents as another user than root', async () => {
    for (const service of ['manager', 'agent-1'])
      assert.equal(await dev(['exec', '-T', service, 'id', '-u']), '1000\n');
  });

  it('is one Docker host for docker run and docker compose up', async function () {
    this.timeout(300_000);
    await until(
      'three nodes are there',
      async () => (await inside(['node', 'ls', '-q'])).stdout.split('\n').length === 4,
    );
    await ok(inside(['load', '-q', '-i', await busyboxImageArchive()]));
    assert.equal(await ok(inside(['run', '--rm', 'busybox', 'echo', 'hello'])), 'hello\n');

    const project = ['compose', '-f', `${projectDirectory}/test/corpus/web-db-cache/compose.yaml`];
    await ok(inside([...project, 'up', '-d']));
    assert.equal((await ok(inside([...project, 'ps', '-q']))).trim().split('\n').length, 3);
    await ok(inside([...project, 'exec', '-T', 'web', 'wget', '-q', '-O', '/dev/null', 'http://web:8000/passwd']));
    await ok(inside([...project, 'down', '-v']));
    assert.equal(await ok(inside(['ps', '-aq'])), '');
  });

  it('goes down and leaves nothing', async () => {
    await dev(['down', '-v']);
    const engine = rig.engines[0]!;
    assert.deepEqual((await engine.api('GET', '/containers/json?all=1')).json, []);
    assert.deepEqual(field((await engine.api('GET', '/volumes')).json, 'Volumes') ?? [], []);
  });

  async function dev(args: readonly string[]): Promise<string> {
    const file = ['-f', `${projectDirectory}/docker-compose.dev.yml`];
    return await ok(rig.compose('v2', [...file, ...args], { cwd: projectDirectory, timeoutMs: 240_000 }));
  }

  /** What the health checks of those that are not healthy last said, or how many containers there are besides eight. */
  async function unhealthy(): Promise<readonly unknown[]> {
    const engine = rig.engines[0]!;
    const rows = elements((await engine.api('GET', '/containers/json?all=1')).json);
    if (rows.length !== 8) return [`${rows.length} containers`];
    const sick = rows.filter((row) => !text(row, 'Status').includes('(healthy)'));
    return await Promise.all(
      sick.map(async (row) => {
        const { json } = await engine.api('GET', `/containers/${text(row, 'Id')}/json`);
        return [field(row, 'Names'), field(json, 'State')];
      }),
    );
  }

  /** A client on the machine of the engine, where the manager's port is published. */
  async function inside(args: readonly string[]): Promise<CommandResult> {
    const machine = ['--target', String(rig.engines[0]!.machine.pid), '--net', 'docker'];
    return await run('nsenter', [...machine, ...args], {
      env: rig.clients.environment({ address: '127.0.0.1:2375' }),
      timeoutMs: 90_000,
    });
  }

  async function ok(result: Promise<CommandResult>): Promise<string> {
    const { code, stdout, stderr } = await result;
    assert.equal(code, 0, `${stdout}${stderr}`.slice(-3_000));
    return stdout;
  }
});
