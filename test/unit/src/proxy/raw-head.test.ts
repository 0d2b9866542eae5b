import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  changeHeaders,
  formatRequestHead,
  formatResponseHead,
  groupHeaders,
  type HeaderChanges,
  headerValue,
  type RawHeaders,
} from '../../../../src/proxy/raw-head.ts';

describe('raw heads', () => {
  it('writes a request head with repeated headers on lines of their own, in their order', () => {
    const rawHeaders = ['Host', 'a', 'X-Method', '/one', 'x-method', '/two', 'Upgrade', 'h2c'];
    assert.equal(
      formatRequestHead({ method: 'POST', path: '/session?a=%2F', rawHeaders }).toString(),
      'POST /session?a=%2F HTTP/1.1\r\nHost: a\r\nX-Method: /one\r\nx-method: /two\r\nUpgrade: h2c\r\n\r\n',
    );
  });

  it('writes a response head with the given reason, byte for byte in latin1', () => {
    assert.deepEqual(
      formatResponseHead({ statusCode: 101, statusMessage: 'UPGRADED', rawHeaders: ['X', 'caf\u00e9'] }),
      Buffer.from('HTTP/1.1 101 UPGRADED\r\nX: caf\u00e9\r\n\r\n', 'latin1'),
    );
  });

  it('finds the first value of a header in any spelling', () => {
    assert.equal(headerValue(['a', '1', 'B', '2', 'b', '3'], 'b'), '2');
    assert.equal(headerValue(['a', '1'], 'b'), undefined);
  });

  const cases: { title: string; raw: RawHeaders; changes: HeaderChanges; expected: RawHeaders }[] = [
    {
      title: 'replaces in place',
      raw: ['A', '1', 'Host', 'x', 'B', '2'],
      changes: { host: 'y' },
      expected: ['A', '1', 'host', 'y', 'B', '2'],
    },
    {
      title: 'removes every line',
      raw: ['A', '1', 'a', '2', 'B', '3'],
      changes: { a: undefined },
      expected: ['B', '3'],
    },
    {
      title: 'replaces repeated lines by one',
      raw: ['A', '1', 'B', '2', 'a', '3'],
      changes: { A: '9' },
      expected: ['A', '9', 'B', '2'],
    },
    { title: 'adds what is new at the end', raw: ['A', '1'], changes: { B: '2' }, expected: ['A', '1', 'B', '2'] },
    {
      title: 'writes a list as repeated lines',
      raw: ['A', '1'],
      changes: { B: ['2', '3'] },
      expected: ['A', '1', 'B', '2', 'B', '3'],
    },
    { title: 'does not add what is removed', raw: ['A', '1'], changes: { B: undefined }, expected: ['A', '1'] },
    {
      title: 'keeps everything without changes',
      raw: ['A', '1', 'A', '2'],
      changes: {},
      expected: ['A', '1', 'A', '2'],
    },
  ];
  for (const { title, raw, changes, expected } of cases) {
    it(`${title} when headers are changed`, () => {
      assert.deepEqual(changeHeaders(raw, changes), expected);
    });
  }

  it('groups repeated headers into lists and leaves single ones alone', () => {
    assert.deepEqual(groupHeaders(['A', '1', 'B', '2', 'a', '3']), { A: ['1', '3'], B: '2' });
  });
});
