// `docker run` and `docker exec` as a user types them: exit codes, streams of bytes, a terminal.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'mocha';
import { outputOf } from '../support/child-output.ts';
import { throughChild } from '../support/random-bytes.ts';
import type { RigEngine } from '../support/rig/engine.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { kindVariable, rigKindNamed, stateDirectory } from '../support/rig/rig-kind.ts';
import { Terminal } from '../support/rig/terminal.ts';
import { until } from '../support/until.ts';

describe('docker run and exec', () => {
  const socket = `${stateDirectory(rigKindNamed(process.env[kindVariable] ?? 'test'))}/shoal.sock`;
  let rig: Rig;
  let ownerOfLong: RigEngine;

  before(async () => {
    rig = await startRig({
      engines: ['20.10', '28.5', '20.10'],
      manager: { listen: [`unix://${socket}`] },
      needs: ['terminal'],
    });
    const { code, stderr } = await rig.docker(['run', '-d', '--name', 'long', 'busybox', 'sleep', '3600']);
    assert.equal(code, 0, stderr);
    const owner = (await rig.docker(['inspect', '-f', '{{.Node.Name}}', 'long'])).stdout.trim();
    ownerOfLong = rig.engines.find(({ name }) => name === owner)!;
  });

  after(async () => {
    await rig.stop();
  });

  it('gives back the exit code of the command', async () => {
    const cases: readonly (readonly [readonly string[], number])[] = [
      [['run', '--rm', 'busybox', 'true'], 0],
      [['run', '--rm', 'busybox', 'false'], 1],
      [['run', '--rm', 'busybox', 'sh', '-c', 'exit 42'], 42],
      [['run', '--rm', 'busybox', 'no-such-program'], 127],
      [['run', '--rm', 'busybox', '/etc'], 126],
      [['run', '--rm', '--no-such-flag', 'busybox'], 125],
      [['exec', 'long', 'false'], 1],
      [['exec', 'long', 'sh', '-c', 'exit 43'], 43],
      [['exec', 'no-such-container', 'true'], 1],
    ];
    for (const [args, code] of cases) {
      const result = await rig.docker(args);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    }
  });

  it('gives back the exit code of many commands at once, and leaves no container of theirs', async () => {
    const codes = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const args = ['run', '--rm', '--label', 'many', 'busybox', 'sh', '-c', `exit ${index}`];
        return (await rig.docker(args)).code;
      }),
    );
    assert.deepEqual(
      codes,
      Array.from({ length: 12 }, (_, index) => index),
    );
    const left = (): Promise<string> =>
      rig.docker(['ps', '-aq', '--filter', 'label=many']).then(({ stdout }) => stdout);
    await until('the containers are removed', async () => (await left()) === '');
  });

  it('keeps stdout and stderr apart', async () => {
    for (const args of [
      ['run', '--rm', 'busybox'],
      ['exec', 'long'],
    ]) {
      const result = await rig.docker([...args, 'sh', '-c', 'echo out; echo err >&2; exit 3']);
      assert.deepEqual(result, { code: 3, stdout: 'out\n', stderr: 'err\n' });
    }
  });

  for (const args of [
    ['run', '--rm', '-i', 'busybox', 'cat'],
    ['exec', '-i', 'long', 'cat'],
  ]) {
    it(`carries 256 MiB through ${args.slice(0, 2).join(' ')} and shows the command the end of its input`, async () => {
      const { sent, received, code } = await throughChild(rig.clients.spawnDocker(args), 256);
      assert.deepEqual({ received, code }, { received: sent, code: 0 });
    });
  }

  for (const target of ['the manager over TCP', 'the manager over its socket', 'one of the engines'] as const) {
    describe(`on ${target}`, () => {
      it('gives a terminal with its size, follows a resize, lets go of it and takes it back', async () => {
        const name = `terminal-${target.replaceAll(' ', '-')}`;
        await inTerminal(target, `docker run -it --name ${name} busybox sh`, async (terminal) => {
          await screenShows(terminal, /\/ #/);
          await answersTo(terminal, 'stty size', /31 101/);
          await terminal.resize(87, 23);
          await answersTo(terminal, 'stty size', /23 87/);
          await letGo(terminal, ['C-p', 'C-q'], /code 0/);
        });
        assert.equal(await stateOf(name), 'true\n');
        await inTerminal(target, `docker attach --detach-keys ctrl-x,x ${name}`, async (terminal) => {
          await answersTo(terminal, 'stty size', /31 101/);
          await letGo(terminal, ['C-x', 'x'], /code [01]/);
        });
        await inTerminal(target, `docker attach ${name}`, async (terminal) => {
          await answersTo(terminal, 'stty size', /31 101/);
          await terminal.press('exit 3', 'Enter');
          await screenShows(terminal, /code 3/);
        });
      });

      /** Over plain TCP this client does not heed the keys, whoever answers it: it is hung up on. */
      async function letGo(terminal: Terminal, keys: readonly string[], end: RegExp): Promise<void> {
        if (target !== 'the manager over its socket') return;
        await terminal.press(...keys);
        await screenShows(terminal, end);
      }

      async function stateOf(name: string): Promise<string> {
        const args = ['inspect', '-f', '{{.State.Running}}', name];
        return (await rig.docker(args, { env: { DOCKER_HOST: hostOf(target) } })).stdout;
      }

      it('gives a terminal to exec, follows a resize, and gives back the exit code of what ran in it', async () => {
        await inTerminal(target, 'docker exec -it long sh', async (terminal) => {
          await screenShows(terminal, /\/ #/);
          await answersTo(terminal, 'stty size', /31 101/);
          await terminal.resize(77, 19);
          await answersTo(terminal, 'stty size', /19 77/);
          await terminal.press('exit 7', 'Enter');
          await screenShows(terminal, /code 7/);
        });
      });

      it('passes signals on to the command, unless the client is told not to', async () => {
        const traps = `trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.1; done`;
        const run = (...flags: readonly string[]): ChildProcess =>
          rig.clients.spawnDocker(['run', ...flags, 'busybox', 'sh', '-c', traps], {
            env: { DOCKER_HOST: hostOf(target) },
          });
        const passing = run('--rm');
        const [heard, closed] = [outputOf(passing), once(passing, 'close')];
        await until('the command is ready', () => heard().includes('ready'));
        passing.kill('SIGTERM');
        const [code] = (await closed) as [number | null];
        assert.deepEqual([code, heard()], [9, 'ready\ncaught\n']);

        const name = `deaf-${target.replaceAll(' ', '-')}`;
        const silent = run('--sig-proxy=false', '--name', name);
        const [read, left] = [outputOf(silent), once(silent, 'close')];
        await until('the command is ready', () => read().includes('ready'));
        // Newer clients leave at the third one.
        await until('the client leaves', () => silent.exitCode !== null || !silent.kill('SIGTERM'));
        await left;
        assert.equal(await stateOf(name), 'true\n');
      });
    });
  }

  type Target = 'the manager over TCP' | 'the manager over its socket' | 'one of the engines';

  function hostOf(target: Target): string {
    switch (target) {
      case 'the manager over TCP':
        return `tcp://${rig.manager.address}`;
      case 'the manager over its socket':
        return `unix://${socket}`;
      case 'one of the engines':
        return `tcp://${ownerOfLong.address}`;
    }
  }

  async function inTerminal(
    target: Target,
    commandLine: string,
    use: (terminal: Terminal) => Promise<void>,
  ): Promise<void> {
    const env = rig.clients.environment({ env: { DOCKER_HOST: hostOf(target) } });
    const terminal = await Terminal.open({ kind: rig.kind, commandLine, env, columns: 101, rows: 31 });
    try {
      await use(terminal);
    } finally {
      await terminal.close();
    }
  }
});

/** A client sends the size soon after the start, not before it: a command may have to be asked again. */
async function answersTo(terminal: Terminal, line: string, answer: RegExp): Promise<void> {
  await until(`${line} is answered with ${String(answer)}`, async () => {
    await terminal.press(line, 'Enter');
    return await until('the answer is there', async () => answer.test(await terminal.screen()), 1_000).catch(
      () => false,
    );
  });
}

async function screenShows(terminal: Terminal, pattern: RegExp): Promise<void> {
  let screen = '';
  await until(`the screen shows ${String(pattern)}`, async () => {
    screen = await terminal.screen();
    return pattern.test(screen);
  }).catch((error: unknown) => {
    throw new Error(`the screen shows:\n${screen}`, { cause: error });
  });
}
