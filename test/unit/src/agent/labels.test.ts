import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseLabels } from '../../../../src/agent/labels.ts';

describe('a text of labels', () => {
  it('has one a line, comments and blank lines aside; the last one of a key counts', () => {
    const text = '# where\nzone=a\n\n  rack = 7 \r\nurl=http://x/?a=b\nalone\nempty=\n=no key\nzone=b\n';
    assert.deepEqual(parseLabels(text), { zone: 'b', rack: '7', url: 'http://x/?a=b', alone: '', empty: '' });
  });
});
