import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'mocha';
import { RememberedNames } from '../../../../../src/cluster/names/remembered-names.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';

describe('remembered names', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(`${tmpdir()}/shoal-names-`);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  function hadName(address: string, name: string): boolean | undefined {
    return new RememberedNames(`${folder}/names`, createSilentLogger()).hadName(address, 'container', name);
  }

  it('say nothing without a file', () => {
    assert.equal(hadName('10.0.0.1:2375', 'web'), undefined);
  });

  for (const spoilt of ['', '{"version":1,"nodes":', '[]', '{"nodes":[]}', '{"nodes":3}'])
    it(`say nothing when the file is ${JSON.stringify(spoilt)}`, () => {
      writeFileSync(`${folder}/names`, spoilt);
      assert.equal(hadName('10.0.0.1:2375', 'web'), undefined);
    });

  it('rule out what the node did not have', () => {
    writeFileSync(`${folder}/names`, '{"version":1,"nodes":{"10.0.0.1:2375":{"container":["web"]}}}');
    assert.equal(hadName('10.0.0.1:2375', 'web'), true);
    assert.equal(hadName('10.0.0.1:2375', 'other'), false);
    assert.equal(hadName('10.0.0.2:2375', 'other'), undefined);
  });
});
