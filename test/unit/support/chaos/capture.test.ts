import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseCapture, parseTerms } from '../../../support/chaos/capture.ts';

const names = new Map([
  ['10.1.0.31', 'manager-1'],
  ['10.1.0.11', 'node-1'],
]);

describe('the capture of a chaos run', () => {
  it('counts a segment that was sent again once, at its first time', () => {
    const head = 'IP 10.1.0.31.4000 > 10.1.0.11.2375: Flags [P.], seq 1:90, ack 1, win 502, length 89';
    const body = 'E..x..POST /v1.41/containers/create?name=a HTTP/1.1';
    const text = [
      `12.5 ${head}`,
      body,
      'Host: x',
      `13.5 ${head}`,
      body,
      `14.0 ${head.replace('1:90', '90:120')}`,
      body,
    ];
    const what = 'POST /v1.41/containers/create?name=a HTTP/1';
    assert.deepEqual(parseCapture(text.join('\n'), names), [
      { atMs: 12_500, manager: 'manager-1', node: 'node-1', what },
      { atMs: 14_000, manager: 'manager-1', node: 'node-1', what },
    ]);
  });

  it('reads from the log of a manager when it became the primary', () => {
    const log = [
      '2026-01-01T00:00:01.500Z info  this manager is the primary term=3 address=10.1.0.31:2375',
      '2026-01-01T00:00:02.500Z info  another manager is the primary address=10.1.0.32:2375 term=4',
    ].join('\n');
    assert.deepEqual(parseTerms('manager-1', log), [
      { manager: 'manager-1', startMs: Date.parse('2026-01-01T00:00:01.500Z'), term: 3 },
    ]);
  });
});
