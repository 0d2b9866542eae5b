import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseMembership } from '../../../discovery/file.ts';

describe('a file of engines', () => {
  it('may hold comments, blank lines, lists, ranges and Windows line ends', () => {
    const text = '# the cluster\r\n\r\n10.0.0.1:2375  # first\r\nb:1,c:[1:2]\r\n';

    const { entries, badLines } = parseMembership(text);

    assert.deepEqual(
      entries.map(({ address }) => address),
      ['10.0.0.1:2375', 'b:1', 'c:1', 'c:2'],
    );
    assert.deepEqual(badLines, []);
    assert.ok(entries.every(({ alive }) => alive));
  });

  it('names its bad lines and keeps the good ones', () => {
    const { entries, badLines } = parseMembership('a:1\nnonsense\nb:1');

    assert.deepEqual(
      entries.map(({ address }) => address),
      ['a:1', 'b:1'],
    );
    assert.equal(badLines.length, 1);
    assert.match(badLines[0] ?? '', /"nonsense"/);
  });
});
