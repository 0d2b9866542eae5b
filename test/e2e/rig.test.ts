import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import { spawnMortal } from '../support/rig/command.ts';
import { leftovers } from '../support/rig/leftovers.ts';
import { acquireOwnerLock, RigInUseError } from '../support/rig/owner-lock.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

describe('the rig', () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5'], manager: 'none', trust: 'none' });
  });

  after(async () => {
    await rig.stop();
  });

  it('starts engines of the versions asked for, each with a name and an id of its own', async () => {
    const answers = await Promise.all(rig.engines.map(async (engine) => (await engine.api('GET', '/info')).json));
    assert.deepEqual(
      answers.map((info) => field(info, 'Name')),
      ['node-1', 'node-2'],
    );
    assert.match(String(field(answers[1], 'ServerVersion')), /^28\.5/);
    assert.notEqual(field(answers[0], 'ID'), field(answers[1], 'ID'));
  });

  it('gives every engine the same busybox image', async () => {
    const answers = await Promise.all(
      rig.engines.map(async (engine) => (await engine.api('GET', '/images/busybox/json')).json),
    );
    assert.equal(field(answers[0], 'Id'), field(answers[1], 'Id'));
  });

  it('runs containers with the stock client', async () => {
    const { address } = rig.engines[1]!;
    assert.deepEqual(await rig.docker(['run', '--rm', '-i', 'busybox', 'cat'], { address, input: 'through' }), {
      code: 0,
      stdout: 'through',
      stderr: '',
    });
  });

  it('hangs, cuts off, kills and powers off an engine, and brings it back with its containers', async () => {
    const engine = rig.engines[0]!;
    assert.equal((await rig.docker(['create', '--name', 'kept', 'busybox'], { address: engine.address })).code, 0);
    engine.stop();
    assert.equal(await engine.isAnswering(), false);
    engine.cont();
    await until('the engine goes on', () => engine.isAnswering());
    await engine.cutOff();
    assert.equal(await engine.isAnswering(), false);
    await engine.reconnect();
    await until('the engine is reachable', () => engine.isAnswering());
    await engine.kill();
    assert.equal(await engine.isAnswering(), false);
    await engine.restart();
    await engine.powerOff();
    assert.equal(await engine.isAnswering(), false);
    await engine.restart();
    assert.equal((await engine.api('GET', '/containers/kept/json')).status, 200);
  });

  it('is refused while another of its kind lives', async () => {
    await assert.rejects(acquireOwnerLock(rig.kind), RigInUseError);
  });

  it('leaves nothing behind when it is stopped', async () => {
    assert.notDeepEqual(await leftovers(rig.kind), []);
    await rig.stop();
    assert.deepEqual(await leftovers(rig.kind), []);
  });
});

describe('a rig whose owner was killed', () => {
  it('is cleaned up by the next one of its kind', async () => {
    const script = fileURLToPath(new URL('../support/rig/abandoned-rig.ts', import.meta.url));
    const owner = spawnMortal(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(owner, 'exit');
    await once(owner.stdout!, 'data');
    owner.kill('SIGKILL');
    await ended;

    const rig = await startRig({ engines: ['20.10'], manager: 'none', trust: 'none' });
    try {
      assert.equal((await rig.docker(['run', '--rm', 'busybox', 'echo', 'clean'])).stdout, 'clean\n');
      assert.equal((await rig.docker(['ps', '--all', '--quiet'])).stdout, '');
    } finally {
      await rig.stop();
    }
    assert.deepEqual(await leftovers(rig.kind), []);
  });
});

describe('clones of one machine', () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({
      engines: [{ sharedKey: true }, { sharedKey: true }, { sharedKey: true, release: '28.5' }],
      manager: 'none',
    });
  });

  after(async () => {
    await rig.stop();
  });

  it('have equal engine ids', async () => {
    const ids = await Promise.all(
      rig.engines.map(async (engine) => field((await engine.api('GET', '/info')).json, 'ID')),
    );
    assert.equal(typeof ids[0], 'string');
    assert.equal(new Set(ids).size, 1);
  });
});

function field(json: unknown, name: string): unknown {
  assert.ok(typeof json === 'object' && json !== null);
  return Object.entries(json).find(([key]) => key === name)?.[1];
}
