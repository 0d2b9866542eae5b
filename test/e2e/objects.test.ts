// Images, builds, networks, volumes and pruning through the stock client, on engines of two releases.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { field } from '../support/document.ts';
import { systemEnvironment } from '../support/rig/command.ts';
import { bridgeAddress, kindVariable, rigKindNamed } from '../support/rig/rig-kind.ts';
import { RigProcess } from '../support/rig/rig-process.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

/** Of the word "secret", by bcrypt at its lowest cost. */
const hashOfSecret = '$2b$04$pFsd8LF6VgMxUvYXFVx3Qu86BQKnZHwesRC5myYT0HDgvCVHQCd9.';

describe('images, networks and volumes of real engines', () => {
  const registryAddress = `${bridgeAddress(rigKindNamed(process.env[kindVariable] ?? 'test'))}:5000`;
  let rig: Rig;
  let registry: RigProcess | undefined;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-objects-'));
    const args = ['--insecure-registry', registryAddress];
    rig = await startRig({
      engines: [
        { release: '20.10', args },
        { release: '28.5', args },
      ],
      needs: ['buildx', 'registry'],
    });
    registry = await startRegistry();
  });

  after(async () => {
    await registry?.stop();
    await rig.stop();
    await rm(folder, { recursive: true });
  });

  async function docker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  async function startRegistry(): Promise<RigProcess> {
    const config = join(folder, 'registry.yml');
    const users = join(folder, 'users');
    await writeFile(users, `user:${hashOfSecret}\n`);
    const lines = [
      'version: 0.1',
      `storage: {filesystem: {rootdirectory: ${folder}/registry}}`,
      `http: {addr: '${registryAddress}'}`,
      `auth: {htpasswd: {realm: tests, path: ${users}}}`,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const started = await RigProcess.start({
      kind: rig.kind,
      name: 'registry',
      command: 'docker-registry',
      args: ['serve', config],
      env: systemEnvironment(),
      logFile: join(folder, 'registry.log'),
    });
    await until('the registry answers', async () => {
      const answer = await fetch(`http://${registryAddress}/v2/`).catch(() => undefined);
      return answer?.status === 401;
    });
    return started;
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
    const answers = await Promise.all(
      rig.engines.map(async (engine) => (await engine.api('GET', '/images/imported:1/json')).json),
    );
    assert.deepEqual(
      answers.map((image) => field(image, 'Id')),
      [id, id],
    );
  });

  it('logs in to a registry, with the right password only', async () => {
    const login = async (password: string): ReturnType<Rig['docker']> =>
      await rig.docker(['login', '-u', 'user', '--password-stdin', registryAddress], { input: password });
    const refused = await login('wrong');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /unauthorized/i);
    assert.match((await login('secret')).stdout, /Login Succeeded/);
  });

  it('pushes an image, and pulls it on every node', async () => {
    const name = `${registryAddress}/team/app:1`;
    await docker('tag', 'busybox', name);
    assert.match(await docker('push', name), /digest: sha256:/);
    await docker('rmi', name);
    await docker('rmi', '-f', 'imported:1');
    const output = await docker('pull', name);

    assert.match(output, /1: Pulling from team\/app/);
    assert.match(output, /Status: /);
    assert.deepEqual(await nodesWith(`/images/${encodeURIComponent(name)}/json`), [true, true]);
    assert.equal(await docker('run', '--rm', name, 'echo', 'pulled'), 'pulled');
  });

  it("answers with the registry's own refusal when no node can pull", async () => {
    const { code, stderr } = await rig.docker(['pull', `${registryAddress}/team/nope:1`]);

    assert.equal(code, 1);
    assert.match(stderr, /manifest (for \S+ not found|unknown)/);
  });

  it('pulls what a create lacks', async () => {
    const name = `${registryAddress}/team/lazy:1`;
    await docker('tag', 'busybox', name);
    await docker('push', '-q', name);
    await docker('rmi', name);

    assert.equal(await docker('run', '--rm', name, 'echo', 'lazy'), 'lazy');
  });

  it('pulls on the node that a container is placed on, with the credentials of the client', async () => {
    const name = `${registryAddress}/team/lazy:1`;
    await rig.engines[1]!.api('DELETE', `/images/${name}?force=1`);
    await until('only one node has it', async () => (await nodesWith(`/images/${name}/json`)).join() === 'true,false');

    const args = ['run', '--rm', '-e', 'constraint:node==node-2', name, 'echo', 'here'];
    assert.equal(await docker(...args), 'here');
    assert.deepEqual(await nodesWith(`/images/${name}/json`), [true, true]);
    assert.doesNotMatch(rig.manager.log(), new RegExp(`an image is copied image=${name}`));
    assert.doesNotMatch(rig.manager.log(), /secret/);
  });

  it('pulls nothing private for a client that has logged out', async () => {
    const name = `${registryAddress}/team/lazy:1`;
    await docker('rmi', name);
    await docker('logout', registryAddress);

    const { code, stderr } = await rig.docker(['run', '--rm', name, 'true']);
    assert.equal(code, 125);
    assert.match(stderr, /no basic auth credentials|unauthorized/);
  });

  it('tells why an image cannot be pulled', async () => {
    const { code, stderr } = await rig.docker(['pull', 'no-such-registry.test/a:1']);

    assert.equal(code, 1);
    assert.match(stderr, /no-such-registry/);
  });

  const builds = [
    { title: 'the legacy builder', cli: 'path', buildkit: '0' },
    { title: 'BuildKit', cli: 'path', buildkit: '1' },
    { title: 'BuildKit as an older client drives it', cli: '20.10', buildkit: '1' },
  ] as const;
  for (const [index, { title, cli, buildkit }] of builds.entries()) {
    it(`builds with ${title}, and runs the result`, async () => {
      const lines = ['FROM busybox', 'COPY Dockerfile /', `RUN echo built-${index} > /made`, 'CMD ["cat", "/made"]'];
      await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
      await writeFile(join(folder, '.dockerignore'), 'registry\n*.tar\n');
      const options = { cli, env: { DOCKER_BUILDKIT: buildkit } };
      const { code, stderr } = await rig.docker(['build', '-t', `built:${index}`, folder], options);
      assert.equal(code, 0, stderr);

      assert.equal(await docker('run', '--rm', `built:${index}`), `built-${index}`);
    });
  }

  it('creates, joins, leaves and removes a network', async () => {
    await docker('network', 'create', 'front');
    await docker('run', '-d', '--name', 'one', '--network', 'front', 'busybox', 'sleep', '600');
    await docker('run', '-d', '--name', 'two', '--network', 'front', 'busybox', 'sleep', '600');
    await docker('exec', 'one', 'ping', '-c', '1', 'two');
    assert.match(
      await docker('network', 'inspect', '-f', '{{range .Containers}}{{.Name}} {{end}}', 'front'),
      /one two|two one/,
    );

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
