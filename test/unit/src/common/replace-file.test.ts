import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { replaceFile } from '../../../../src/common/replace-file.ts';

describe('replacing a file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/shoal-replace-`);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('leaves the new text alone, for its owner', async () => {
    writeFileSync(`${folder}/state`, 'old');
    await replaceFile(`${folder}/state`, 'new');
    assert.equal(readFileSync(`${folder}/state`, 'utf8'), 'new');
    assert.equal(statSync(`${folder}/state`).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['state']);
  });

  it('leaves nothing beside what it cannot replace', async () => {
    mkdirSync(`${folder}/state`);
    await assert.rejects(replaceFile(`${folder}/state`, 'new'), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(folder), ['state']);
  });
});
