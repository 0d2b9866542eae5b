import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FrameCutter, WireReader, WireWriter } from '../../../../discovery/zookeeper/wire.ts';

describe('the encoding of ZooKeeper', () => {
  it('writes what it reads', () => {
    const frame = new WireWriter()
      .int32(-7)
      .int64(1n << 40n)
      .text('ä/b')
      .bytes(Buffer.of(1, 2))
      .flag('yes')
      .frame();
    assert.equal(frame.readInt32BE(), frame.length - 4);

    const reader = new WireReader(frame.subarray(4));
    assert.equal(reader.int32(), -7);
    assert.equal(reader.int64(), 1n << 40n);
    assert.equal(reader.text(), 'ä/b');
    assert.deepEqual(reader.bytes(), Buffer.of(1, 2));
  });

  it('reads the fields of a node that matter', () => {
    const stat = new WireWriter().int64(1n).int64(2n).int64(3n).int64(4n).int32(5).int32(6).int32(7).int64(8n);
    const frame = stat.int32(9).int32(10).int64(11n).frame();

    assert.deepEqual(new WireReader(frame.subarray(4)).stat(), {
      changedAt: 2n,
      version: 5,
      owner: 8n,
      childrenChangedAt: 11n,
    });
  });

  it('takes absent texts as empty ones, and throws where a message is cut short', () => {
    assert.equal(new WireReader(Buffer.from('ffffffff', 'hex')).text(), '');
    assert.deepEqual(new WireReader(Buffer.from('ffffffff', 'hex')).texts(), []);
    assert.throws(() => new WireReader(Buffer.from('0000000561', 'hex')).text(), /ends too early/);
  });

  it('finds the messages in chunks of any size', () => {
    const frames = ['a', 'bc', ''].map((text) => new WireWriter().text(text).frame());
    const stream = Buffer.concat(frames);
    for (const size of [1, 2, 5, stream.length]) {
      const cutter = new FrameCutter();
      const found: string[] = [];
      for (let start = 0; start < stream.length; start += size) {
        for (const frame of cutter.push(stream.subarray(start, start + size))) found.push(new WireReader(frame).text());
      }
      assert.deepEqual(found, ['a', 'bc', '']);
    }
  });

  it('gives up at a senseless length', () => {
    assert.throws(() => new FrameCutter().push(Buffer.from('7fffffff', 'hex')), /senseless length/);
    assert.throws(() => new FrameCutter().push(Buffer.from('ffffffff', 'hex')), /senseless length/);
  });
});
