// Every way in which stock clients build: each result runs on the cluster, and a build that is given up ends on its
// engine.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { outputOf } from '../support/child-output.ts';
import { elements, field } from '../support/document.ts';
import type { ClientOptions } from '../support/rig/clients.ts';
import type { CommandResult } from '../support/rig/command.ts';
import { kindVariable, rigKindNamed, stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

interface Builder {
  readonly title: string;
  readonly args: readonly string[];
  readonly options: ClientOptions;
  /** Clients over TCP build on the older engine, those over the socket on the newer one. */
  readonly via: 'tcp' | 'socket';
  readonly isBuildKit: boolean;
  /** Whether expressions among the build arguments reach the manager; buildx hides them in a protocol of its own. */
  readonly canPlace: boolean;
  /** Of a build whose RUN ended with 7. */
  readonly failureCode: number;
}

const legacy = { isBuildKit: false, canPlace: true, failureCode: 7 };
const buildx = { isBuildKit: true, canPlace: false, failureCode: 1 };

const builders: readonly Builder[] = [
  { title: 'docker buildx build --load', args: ['buildx', 'build', '--load'], options: {}, via: 'socket', ...buildx },
  { title: 'docker build', args: ['build'], options: {}, via: 'tcp', ...buildx },
  {
    title: 'docker build without BuildKit',
    args: ['build'],
    options: { env: { DOCKER_BUILDKIT: '0' } },
    via: 'socket',
    ...legacy,
  },
  {
    title: 'docker 20.10 build',
    args: ['build'],
    options: { cli: '20.10', env: { DOCKER_BUILDKIT: '0' } },
    via: 'tcp',
    ...legacy,
  },
  {
    title: 'docker 20.10 build with BuildKit',
    args: ['build'],
    options: { cli: '20.10', env: { DOCKER_BUILDKIT: '1' } },
    via: 'socket',
    ...{ isBuildKit: true, canPlace: true, failureCode: 1 },
  },
];

/** Two seconds are what a user may expect; others may keep this machine busy. */
const endsWithinMs = 4_000;

describe('builds', () => {
  const socket = `${stateDirectory(rigKindNamed(process.env[kindVariable] ?? 'test'))}/shoal.sock`;
  let rig: Rig;
  let folder: string;
  let builds = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-builds-'));
    rig = await startRig({
      engines: ['20.10', '28.5', '20.10'],
      manager: { listen: [`unix://${socket}`] },
      needs: ['buildx'],
    });
    const [older, newer] = rig.engines;
    // Each client stays where it has built first: on the least loaded node.
    for (const [via, engine] of [
      ['tcp', older],
      ['socket', newer],
    ] as const) {
      const tag = newTag();
      await build({ ...builders[1]!, via }, ['-t', tag, contextOf('FROM busybox\nLABEL a=b\n')]);
      assert.deepEqual(await nodesWith(tag), [engine?.name]);
      await docker('run', '-d', '-e', `constraint:node==${engine?.name ?? ''}`, 'busybox', 'top');
    }
  });

  after(async () => {
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  for (const builder of builders) {
    describe(`by ${builder.title}`, () => {
      it('end in an image that runs anywhere on the cluster', async () => {
        const context = contextOf(
          'FROM busybox\nARG WORD\nRUN echo $WORD > /word\nCOPY file /file\nCMD cat /word /file\n',
        );
        writeFileSync(`${context}/file`, 'copied\n');
        const tag = newTag();
        await build(builder, ['-t', tag, '--build-arg', 'WORD=built', context]);
        assert.equal(await docker('run', '--rm', tag), 'built\ncopied\n');
        const elsewhere = `constraint:node==${rig.engines[2]?.name ?? ''}`;
        assert.equal(await docker('run', '--rm', '-e', elsewhere, tag), 'built\ncopied\n');
      });

      it('use what an earlier build of the project left', async () => {
        const context = contextOf('FROM busybox\nRUN head -c 8 /dev/urandom | sha256sum > /random\n');
        const [first, second] = [newTag(), newTag()];
        await build(builder, ['-t', first, context]);
        await build(builder, ['-t', second, context]);
        assert.equal(
          await docker('run', '--rm', first, 'cat', '/random'),
          await docker('run', '--rm', second, 'cat', '/random'),
        );
      });

      it('read a context or a Dockerfile from standard input and stop at a target', async () => {
        const [alone, packed] = [newTag(), newTag()];
        const file = 'FROM busybox AS first\nRUN echo first > /stage\nFROM first\nRUN echo second > /stage\n';
        await build(builder, ['-t', alone, '--target', 'first', '-'], { input: file });
        assert.equal(await docker('run', '--rm', alone, 'cat', '/stage'), 'first\n');
        const context = contextOf('FROM busybox\nCOPY deep /deep\n');
        mkdirSync(`${context}/deep`);
        writeFileSync(`${context}/deep/file`, 'packed\n');
        const { code, stderr } = await rig.clients.shell(
          `tar -C ${context} -c . | docker ${builder.args.join(' ')} -t ${packed} -`,
          optionsOf(builder),
        );
        assert.equal(code, 0, stderr);
        assert.equal(await docker('run', '--rm', packed, 'cat', '/deep/file'), 'packed\n');
      });

      it('fail with the code that the client has for it', async () => {
        const context = contextOf('FROM busybox\nRUN exit 7\n');
        assert.equal((await tryBuild(builder, [context])).code, builder.failureCode);
        const missing = await tryBuild(builder, [contextOf('FROM no.such/image:1\n')]);
        assert.equal(missing.code, 1);
        assert.match(missing.stderr, /no\.such/);
      });

      it('end on the engine when the client is interrupted', async () => {
        const seconds = String(1_000_000 + (builds += 1));
        const context = contextOf(`FROM busybox\nRUN sleep ${seconds}\n`);
        const child = rig.clients.spawnDocker([...builder.args, context], optionsOf(builder));
        const output = outputOf(child);
        const closed = once(child, 'close');
        await until(
          'the command runs',
          () => isRunning(seconds) || (child.exitCode !== null && fail(output())),
          30_000,
        );
        child.kill('SIGINT');
        await until('the command is gone', () => !isRunning(seconds), endsWithinMs);
        await closed;
        assert.notEqual(child.exitCode, 0);
      });

      if (builder.canPlace) {
        it('go where a constraint among the build arguments wants it', async () => {
          for (const { name } of rig.engines) {
            const tag = newTag();
            const context = contextOf(`FROM busybox\nRUN echo ${tag}\n`);
            await build(builder, ['-t', tag, '--build-arg', `constraint:node==${name}`, context]);
            assert.deepEqual(await nodesWith(tag), [name]);
          }
          const nowhere = await tryBuild(builder, [
            '--build-arg',
            'constraint:node==nowhere',
            contextOf('FROM busybox\n'),
          ]);
          assert.equal(nowhere.code, 1);
          assert.match(nowhere.stderr, /node-1[^]*node-2/);
        });
      }
      if (!builder.isBuildKit) return;

      it('mount secrets, the socket of an agent, and a cache that stays', async () => {
        const tag = newTag();
        const context = contextOf(
          [
            'FROM busybox',
            'ARG ROUND',
            'RUN --mount=type=secret,id=word wc -c < /run/secrets/word > /length',
            'RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo there > /agent',
            'RUN --mount=type=cache,target=/kept echo $ROUND >> /kept/rounds && cp /kept/rounds /rounds',
            '',
          ].join('\n'),
        );
        writeFileSync(`${context}/secret`, 'twelve bytes');
        const agent = await listenAsAgent(`${context}.agent`);
        try {
          for (const round of ['1', '2']) {
            await build(builder, [
              ...['-t', tag, '--build-arg', `ROUND=${tag}-${round}`, '--secret', `id=word,src=${context}/secret`],
              ...['--ssh', `default=${context}.agent`, context],
            ]);
          }
        } finally {
          agent.close();
        }
        const shown = await docker('run', '--rm', tag, 'cat', '/length', '/agent', '/rounds');
        assert.match(shown, new RegExp(`^12\nthere\n(?:.*\n)*${tag}-1\n${tag}-2\n$`));
      });
    });
  }

  it('of several clients run at once', async () => {
    const wanted = builders.flatMap((builder) =>
      (['tcp', 'socket'] as const).map((via) => ({ builder: { ...builder, via }, tag: newTag() })),
    );
    await Promise.all(
      wanted.map(async ({ builder, tag }) => {
        await build(builder, ['-t', tag, contextOf(`FROM busybox\nRUN echo ${tag} > /tag\n`)]);
      }),
    );
    for (const { tag } of wanted) assert.equal(await docker('run', '--rm', tag, 'cat', '/tag'), `${tag}\n`);
  });

  function newTag(): string {
    builds += 1;
    return `built:${builds}`;
  }

  function contextOf(dockerfile: string): string {
    const context = mkdtempSync(`${folder}/context-`);
    writeFileSync(`${context}/Dockerfile`, dockerfile);
    return context;
  }

  async function tryBuild(builder: Builder, args: readonly string[], more: ClientOptions = {}): Promise<CommandResult> {
    return await rig.docker([...builder.args, ...args], { ...optionsOf(builder), ...more });
  }

  function optionsOf({ options, via }: Builder): ClientOptions {
    const host = via === 'tcp' ? `tcp://${rig.manager.address}` : `unix://${socket}`;
    return { ...options, env: { ...options.env, DOCKER_HOST: host } };
  }

  async function build(builder: Builder, args: readonly string[], more: ClientOptions = {}): Promise<void> {
    const { code, stdout, stderr } = await tryBuild(builder, args, more);
    assert.equal(code, 0, `${args.join(' ')}:\n${stdout}${stderr}`);
  }

  async function docker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async function nodesWith(tag: string): Promise<string[]> {
    const rows = await Promise.all(
      rig.engines.map(async (engine) => {
        const images = elements((await engine.api('GET', '/images/json')).json);
        return images.some((image) => elements(field(image, 'RepoTags')).includes(tag)) ? [engine.name] : [];
      }),
    );
    return rows.flat();
  }
});

/** The engines' processes are this machine's, too. */
function isRunning(seconds: string): boolean {
  const wanted = `sleep\0${seconds}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => commandLine(pid) === wanted);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

function fail(message: string): never {
  throw new Error(message);
}

async function listenAsAgent(path: string): Promise<Server> {
  const server = createServer((connection) => connection.destroy()).listen(path);
  await once(server, 'listening');
  return server;
}
