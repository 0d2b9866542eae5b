// Big transfers through the manager: every byte arrives, and none of them stays in its memory. SHOAL_TRANSFER_MIB makes
// them as big as the disk allows.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { checksumOf, throughChild, writeRandomFile } from '../support/random-bytes.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';

const mebibytes = Number(process.env['SHOAL_TRANSFER_MIB'] ?? 64);
const runs = Number(process.env['SHOAL_TRANSFER_RUNS'] ?? 32);
const runsAtOnce = Number(process.env['SHOAL_TRANSFER_RUNS_AT_ONCE'] ?? 8);
const timeoutMs = 60_000 + mebibytes * 1_000;
const mayGrowMebibytes = 200;
/** From this size on somebody wants to see figures. */
const loudMebibytes = 512;

describe('big transfers', () => {
  let rig: Rig;
  let folder: string;
  let idleMebibytes: number;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-transfers-'));
    rig = await startRig({ engines: ['20.10', '28.5'] });
    for (const number of [1, 2]) {
      await docker(
        'run',
        '-d',
        '--name',
        `target-${number}`,
        '-e',
        `constraint:node==node-${number}`,
        'busybox',
        'top',
      );
    }
    idleMebibytes = memoryMebibytes('VmRSS');
  });

  beforeEach(() => {
    // From here on the kernel measures the peak anew.
    writeFileSync(`/proc/${rig.manager.pid}/clear_refs`, '5');
  });

  afterEach(() => {
    const grown = memoryMebibytes('VmHWM') - idleMebibytes;
    if (mebibytes >= loudMebibytes)
      console.log(`      the manager has grown by ${grown} MiB above ${idleMebibytes} MiB`);
    assert.ok(grown < mayGrowMebibytes, `the manager has grown by ${grown} MiB`);
  });

  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true });
  });

  async function docker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args, { timeoutMs });
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  function memoryMebibytes(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${rig.manager.pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024);
  }

  for (const number of [1, 2]) {
    it(`copies a tree of ${mebibytes} MiB into a container on node-${number} and out of it`, async function () {
      this.timeout(timeoutMs);
      const target = `target-${number}`;
      const there = join(folder, `there-${number}`);
      const back = join(folder, `back-${number}`);
      const names = ['one', 'two', 'deep/three', 'deep/four'];
      await mkdir(join(there, 'deep'), { recursive: true });
      for (const name of names) await writeRandomFile(join(there, name), mebibytes / names.length);

      await docker('cp', there, `${target}:/tree`);
      await docker('cp', `${target}:/tree`, back);

      for (const name of names) assert.equal(await checksumOf(join(back, name)), await checksumOf(join(there, name)));
      await docker('exec', target, 'rm', '-r', '/tree');
      await Promise.all([there, back].map((path) => rm(path, { recursive: true })));
    });

    it(`saves and loads an image of ${mebibytes} MiB of node-${number}`, async function () {
      this.timeout(timeoutMs);
      const big = join(folder, 'big');
      const archive = join(folder, 'image.tar');
      await writeRandomFile(big, mebibytes);
      await docker('cp', big, `target-${number}:/big`);
      await docker('commit', `target-${number}`, 'big:1');

      await docker('save', '-o', archive, 'big:1');
      await docker('rmi', 'big:1');
      await docker('load', '-i', archive);

      const sum = await docker('run', '--rm', 'big:1', 'sha256sum', '/big');
      assert.equal(sum.split(' ')[0], await checksumOf(big));
      await docker('rmi', 'big:1');
      await docker('exec', `target-${number}`, 'rm', '/big');
      await rm(archive);
    });

    it(`carries ${mebibytes} MiB through a command on node-${number}`, async function () {
      this.timeout(timeoutMs);
      const child = rig.clients.spawnDocker(['exec', '-i', `target-${number}`, 'cat']);
      const { sent, received, code } = await throughChild(child, mebibytes);
      assert.deepEqual({ received, code }, { received: sent, code: 0 });
    });
  }

  it(`gives ${runs} failing commands exit code 1, ${runsAtOnce} at once`, async function () {
    this.timeout(60_000 + runs * 2_000);
    const codes: number[] = [];
    const one = async (): Promise<void> => {
      while (codes.length < runs) {
        const place = codes.push(-1) - 1;
        codes[place] = (await rig.docker(['run', '--rm', 'busybox', 'false'], { timeoutMs: 120_000 })).code;
      }
    };
    await Promise.all(Array.from({ length: runsAtOnce }, one));

    assert.deepEqual(
      codes,
      Array.from({ length: runs }, () => 1),
    );
  });
});
