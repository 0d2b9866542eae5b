import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { formatFacts, noFacts, parseFacts, type AnnouncedFacts } from '../../../../src/engine/announced-facts.ts';

const all: AnnouncedFacts = {
  id: '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
  labels: { zone: 'a', rack: '' },
  ports: [
    { protocol: 'tcp', ip: '', port: 22 },
    { protocol: 'udp', ip: '127.0.0.53', port: 53 },
    { protocol: 'tcp', ip: '::1', port: 631 },
  ],
  diskPercent: 85,
  reservedNanoCpus: 5e8,
  reservedMemoryBytes: 1024,
};

describe('the facts that an agent announces', () => {
  it('are read as they were written', () => {
    assert.deepEqual(parseFacts(formatFacts(all, 4096)), all);
  });

  it('are no text at all when there are none', () => {
    assert.equal(formatFacts(noFacts, 4096), '');
    assert.equal(parseFacts(''), noFacts);
  });

  it('leave out ports when they are too many, the highest first', () => {
    const ports = Array.from({ length: 2_000 }, (_, index) => ({ protocol: 'tcp' as const, ip: '', port: index + 1 }));
    const text = formatFacts({ ...all, ports }, 4096);
    assert.ok(Buffer.byteLength(text) <= 4096);
    const read = parseFacts(text);
    assert.deepEqual(read.labels, all.labels);
    assert.deepEqual(read.ports, ports.slice(0, read.ports.length));
    assert.ok(read.ports.length > 200);
  });

  it('are refused when the labels alone are too long', () => {
    assert.throws(() => formatFacts({ ...all, labels: { long: 'x'.repeat(5_000) } }, 4096), /labels.*4096/);
  });

  for (const text of [
    'nonsense',
    '[]',
    'null',
    '7',
    '{"labels":7,"ports":["sctp/1",null,{}],"disk":"full","id":{},"cpus":-1}',
  ]) {
    it(`say nothing where they are not understood: ${text}`, () => {
      assert.deepEqual(parseFacts(text), noFacts);
    });
  }
});
