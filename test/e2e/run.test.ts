// `docker run` and `docker exec` as a user types them: exit codes, streams of bytes, a terminal.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { throughChild } from '../support/random-bytes.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { kindVariable, rigKindNamed, stateDirectory } from '../support/rig/rig-kind.ts';
import { Terminal } from '../support/rig/terminal.ts';
import { until } from '../support/until.ts';

describe('docker run and exec', () => {
  const socket = `${stateDirectory(rigKindNamed(process.env[kindVariable] ?? 'test'))}/shoal.sock`;
  let rig: Rig;

  before(async () => {
    rig = await startRig({
      engines: ['20.10', '28.5', '20.10'],
      manager: { listen: [`unix://${socket}`] },
      needs: ['terminal'],
    });
    const { code, stderr } = await rig.docker(['run', '-d', '--name', 'long', 'busybox', 'sleep', '3600']);
    assert.equal(code, 0, stderr);
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

  it('gives a terminal with its size, follows a resize and lets go at the detach keys', async () => {
    const terminal = await Terminal.open({
      kind: rig.kind,
      commandLine: 'docker run -it --name interactive busybox sh',
      env: rig.clients.environment({ env: { DOCKER_HOST: `unix://${socket}` } }),
      columns: 101,
      rows: 31,
    });
    try {
      await screenShows(terminal, /\/ #/);
      await answersTo(terminal, 'stty size', /31 101/);
      await terminal.resize(87, 23);
      await answersTo(terminal, 'stty size', /23 87/);
      await terminal.press('C-p', 'C-q');
      await screenShows(terminal, /code 0/);
    } finally {
      await terminal.close();
    }
    const { stdout } = await rig.docker(['inspect', '-f', '{{.State.Running}}', 'interactive']);
    assert.equal(stdout, 'true\n');
  });

  it('gives a terminal to exec, and the exit code of what ran in it', async () => {
    const terminal = await Terminal.open({
      kind: rig.kind,
      commandLine: 'docker exec -it long sh',
      env: rig.clients.environment(),
      columns: 99,
      rows: 29,
    });
    try {
      await screenShows(terminal, /\/ #/);
      await answersTo(terminal, 'stty size', /29 99/);
      await terminal.press('exit 7', 'Enter');
      await screenShows(terminal, /code 7/);
    } finally {
      await terminal.close();
    }
  });
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
