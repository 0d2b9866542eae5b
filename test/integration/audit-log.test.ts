import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { AuditEntry } from '../../src/api/audit.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { appendTo, AuditLog } from '../../src/manager/audit-log.ts';
import { recordingEverything } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const entry: AuditEntry = {
  ...{ time: '2026-01-02T03:04:05.678Z', caller: 'ann', address: '10.0.0.9', method: 'POST' },
  ...{ route: '/containers/create', object: 'web\n{"caller":"root"}', node: 'node-1', status: 201, durationMs: 12 },
};

describe('the audit log', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-audit-'));
  });

  after(() => rm(folder, { recursive: true }));

  async function linesOf(path: string): Promise<unknown[]> {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }

  it('has a line for each entry, in a file that others do not read and that may be moved away', async () => {
    const path = join(folder, 'audit.log');
    const log = new AuditLog(appendTo(path), createSilentLogger());
    await log.start();
    assert.equal((await stat(path)).mode & 0o007, 0);
    log.record(entry);
    log.record({ ...entry, object: 'second' });
    await until('both are written', async () => (await linesOf(path)).length === 2);
    assert.deepEqual(await linesOf(path), [entry, { ...entry, object: 'second' }]);

    await rename(path, join(folder, 'audit.1'));
    log.record({ ...entry, object: 'third' });
    log.record({ ...entry, object: 'last words' });
    await log.stop();
    assert.deepEqual(await linesOf(path), [
      { ...entry, object: 'third' },
      { ...entry, object: 'last words' },
    ]);
  });

  it('ends the start of a manager that could not keep it', async () => {
    await assert.rejects(
      new AuditLog(appendTo(join(folder, 'no/such/folder')), createSilentLogger()).start(),
      /ENOENT/,
    );
  });

  it('keeps what it can while nothing can be written, and tells what is lost', async () => {
    const told: string[] = [];
    const written: string[] = [];
    let isBroken = true;
    const append = (lines: string): Promise<void> => {
      if (isBroken) return Promise.reject(new Error('no space left'));
      written.push(lines);
      return Promise.resolve();
    };
    const log = new AuditLog(append, recordingEverything(told));
    for (let index = 0; index < 25_000; index += 1) log.record(entry);
    await until('the trouble is told', () => told.some((line) => line.includes('no space left')));
    isBroken = false;
    await log.stop();
    const kept = written.join('').split('\n').length - 1;
    assert.ok(kept >= 10_000 && kept <= 20_000, `${kept} entries`);
    assert.ok(told.some((line) => line.includes('are lost')));
  });
});
