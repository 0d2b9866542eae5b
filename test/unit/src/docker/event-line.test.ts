import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventLine, parseEventLine } from '../../../../src/docker/event-line.ts';

const line =
  '{"status":"start","id":"c1","from":"busybox","Type":"container","Action":"start",' +
  '"Actor":{"ID":"c1","Attributes":{"image":"busybox","name":"web"}},"scope":"local","time":1700000000,"timeNano":1700000000123456789}';

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

describe('an event line', () => {
  it('carries the nanoseconds of the engine to the last digit', () => {
    const event = parseEventLine(line);
    assert.ok(event);
    assert.match(eventLine(event), /"timeNano":1700000000123456789\}\n$/);
  });

  it('comes out with the fields with which it came in, and no more', () => {
    const event = parseEventLine(line);
    assert.ok(event);
    assert.deepEqual(parsed(eventLine(event)), parsed(line));
  });

  it('is not misled by attributes about times', () => {
    const attributes = { timeNano: '1', note: '"timeNano":2' };
    const text = line.replace('"name":"web"', JSON.stringify(attributes).slice(1, -1));
    assert.equal(parseEventLine(text)?.timeNanoDigits, '1700000000123456789');
  });

  it('has the fields of old clients also where the engine does not send them', () => {
    const event = parseEventLine(line.replace('"status":"start","id":"c1","from":"busybox",', ''));
    assert.ok(event);
    const { status, id, from } = parsed(eventLine(event));
    assert.deepEqual({ status, id, from }, { status: 'start', id: 'c1', from: 'busybox' });
  });

  it('says whence only of containers', () => {
    const event = {
      Type: 'volume',
      Action: 'create',
      Actor: { ID: 'v', Attributes: { image: 'x' } },
      time: 1,
      timeNano: 1e9,
    };
    assert.deepEqual(parsed(eventLine(event)), event);
  });

  for (const text of [
    'null',
    '[]',
    '{}',
    '{"Type":"container","Action":"start","time":1,"timeNano":1}',
    line.replace('"timeNano"', '"x"'),
  ]) {
    it(`is not ${text.slice(0, 60)}`, () => {
      assert.equal(parseEventLine(text), undefined);
    });
  }

  it('throws on what is not JSON', () => {
    assert.throws(() => parseEventLine('{"Type":'), SyntaxError);
  });
});
