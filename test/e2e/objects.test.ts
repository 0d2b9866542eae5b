// Images, builds, networks, volumes and pruning through the stock client, on engines of two releases.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { field } from '../support/document.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';

describe('images, networks and volumes of real engines', () => {
  let rig: Rig;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-objects-'));
    rig = await startRig({ engines: ['20.10', '28.5'], needs: ['buildx'] });
  });

  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true });
  });

  async function docker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** Which engines have the object. */
  async function nodesWith(path: string): Promise<boolean[]> {
    return await Promise.all(rig.engines.map(async (engine) => (await engine.api('GET', path)).status === 200));
  }

  it('tags, saves, removes and loads an image on every node', async () => {
    const archive = join(folder, 'copy.tar');
    await docker('tag', 'busybox', 'copy:1');
    assert.deepEqual(await nodesWith('/images/copy:1/json'), [true, true]);
    await docker('save', '-o', archive, 'copy:1');
    await docker('rmi', 'copy:1');
    assert.deepEqual(await nodesWith('/images/copy:1/json'), [false, false]);
    assert.equal(await docker('load', '-i', archive), 'Loaded image: copy:1');
    assert.deepEqual(await nodesWith('/images/copy:1/json'), [true, true]);
  });

  it('imports an image with one id for all nodes', async () => {
    const archive = join(folder, 'root.tar');
    await docker('create', '--name', 'source', 'busybox');
    await docker('export', '-o', archive, 'source');
    await docker('rm', 'source');
    const id = await docker('import', archive, 'imported:1');

    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    const answers = await Promise.all(rig.engines.map(async (engine) => (await engine.api('GET', '/images/imported:1/json')).json));
    assert.deepEqual(answers.map((image) => field(image, 'Id')), [id, id]);
  });

  it('tells why an image cannot be pulled', async () => {
    const { code, stderr } = await rig.docker(['pull', 'no-such-registry.test/a:1']);

    assert.equal(code, 1);
    assert.match(stderr, /no-such-registry/);
  });

  for (const builder of ['0', '1']) {
    it(`builds with ${builder === '0' ? 'the legacy builder' : 'BuildKit'}, and runs the result`, async () => {
      await writeFile(join(folder, 'Dockerfile'), `FROM busybox\nRUN echo built-${builder} > /made\nCMD ["cat", "/made"]\n`);
      const args = ['build', '-t', `built:${builder}`, '-f', join(folder, 'Dockerfile'), '--load', folder];
      const wanted = builder === '0' ? args.filter((arg) => arg !== '--load') : args;
      const { code, stderr } = await rig.docker(wanted, { env: { DOCKER_BUILDKIT: builder } });
      assert.equal(code, 0, stderr);

      assert.equal(await docker('run', '--rm', `built:${builder}`), `built-${builder}`);
    });
  }

  it('creates, joins, leaves and removes a network', async () => {
    await docker('network', 'create', 'front');
    await docker('run', '-d', '--name', 'one', '--network', 'front', 'busybox', 'sleep', '600');
    await docker('run', '-d', '--name', 'two', '--network', 'front', 'busybox', 'sleep', '600');
    await docker('exec', 'one', 'ping', '-c', '1', 'two');
    assert.match(await docker('network', 'inspect', '-f', '{{range .Containers}}{{.Name}} {{end}}', 'front'), /one two|two one/);

    const refused = await rig.docker(['network', 'rm', 'front']);
    assert.match(refused.stderr, /has active endpoints/);
    await docker('network', 'disconnect', 'front', 'two');
    await docker('network', 'connect', 'front', 'two');
    await docker('rm', '-f', 'one', 'two');
    await docker('network', 'rm', 'front');
  });

  it('keeps named volumes when it prunes', async () => {
    await docker('volume', 'create', 'kept');
    await docker('run', '--rm', '-v', 'kept:/data', 'busybox', 'sh', '-c', 'echo safe > /data/file');
    await docker('volume', 'prune', '-f');
    assert.equal(await docker('run', '--rm', '-v', 'kept:/data', 'busybox', 'cat', '/data/file'), 'safe');
    await docker('volume', 'rm', 'kept');
  });

  it('prunes the whole system', async () => {
    await docker('create', '--name', 'stopped', 'busybox');
    await docker('network', 'create', 'unused');
    const output = await docker('system', 'prune', '-f');

    assert.match(output, /unused/);
    assert.equal(await docker('ps', '-aq'), '');
    assert.equal(await docker('plugin', 'ls', '-q'), '');
  });
});
