import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { DiscoveryEntry } from '../../discovery/backend.ts';
import { FileBackend } from '../../discovery/file.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

describe('a file of engines on disk', () => {
  let folder: string;
  let path: string;
  let stop: AbortController;
  let watching: Promise<void>;
  let sets: (readonly string[])[];
  let warnings: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-file-'));
    path = join(folder, 'cluster');
    stop = new AbortController();
    watching = Promise.resolve();
    sets = [];
    warnings = [];
  });

  afterEach(async () => {
    stop.abort();
    await watching;
    await rm(folder, { recursive: true, force: true });
  });

  function watch(pollMs: number, file = path): void {
    const backend = new FileBackend({ path: file, pollMs, logger: recordingLogger(warnings) });
    watching = collect(backend.watch(stop.signal));
  }

  async function collect(changes: AsyncIterable<readonly DiscoveryEntry[]>): Promise<void> {
    for await (const set of changes) sets.push(set.map(({ address }) => address));
  }

  it('is read again when it is written anew and when it is replaced', async () => {
    await writeFile(path, 'a:1\n');
    watch(60_000);
    await until('the first set', () => sets.length === 1);

    await writeFile(path, 'a:1\nb:1\n');
    await until('the second set', () => sets.length === 2);
    await writeFile(`${path}.new`, 'c:1\n');
    await rename(`${path}.new`, path);
    await until('the third set', () => sets.length === 3);

    assert.deepEqual(sets, [['a:1'], ['a:1', 'b:1'], ['c:1']]);
  });

  it('keeps the last set while it is missing or blank, and says why', async () => {
    await writeFile(path, 'a:1\n');
    watch(50);
    await until('the first set', () => sets.length === 1);

    await rm(path);
    await until('the missing file is reported', () => warnings.some((line) => line.includes('ENOENT')));
    await writeFile(path, '');
    await until('the blank file is reported', () => warnings.some((line) => line.includes('blank')));
    await writeFile(path, 'nonsense\n');
    await until('the senseless file is reported', () => warnings.some((line) => line.includes('no line')));
    await writeFile(path, 'b:1\n');
    await until('the next set', () => sets.length === 2);

    assert.deepEqual(sets, [['a:1'], ['b:1']]);
  });

  it('may say in a comment that there are no engines any more', async () => {
    await writeFile(path, 'a:1\n');
    watch(50);
    await until('the first set', () => sets.length === 1);

    await writeFile(path, '# all gone\n');
    await until('the second set', () => sets.length === 2);

    assert.deepEqual(sets, [['a:1'], []]);
  });

  it('may appear later, in a folder that appears later', async () => {
    watch(50, join(folder, 'later', 'cluster'));
    await until('the missing file is reported', () => warnings.length > 0);

    await mkdir(join(folder, 'later'));
    await writeFile(join(folder, 'later', 'cluster'), 'a:1\n');
    await until('the first set', () => sets.length === 1);

    assert.deepEqual(sets, [['a:1']]);
  });

  it('has each bad line reported once, however often it is read', async () => {
    await writeFile(path, 'nonsense\na:1\n');
    watch(20);
    await until('the first set', () => sets.length === 1);
    await writeFile(path, 'nonsense\na:1\nb:1\n');
    await until('the second set', () => sets.length === 2);

    assert.equal(warnings.filter((line) => line.includes('nonsense')).length, 1);
  });
});
