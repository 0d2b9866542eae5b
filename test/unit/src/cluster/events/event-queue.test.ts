import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { EventQueue } from '../../../../../src/cluster/events/event-queue.ts';

describe('EventQueue', () => {
  it('gives what was pushed before and while it is read, in order, and then ends', async () => {
    const queue = new EventQueue<number>(10);
    queue.push(1);
    const read: number[] = [];
    for await (const item of queue.read()) {
      read.push(item);
      if (item === 1) queue.push(2);
      if (item === 2) {
        setImmediate(() => {
          queue.push(3);
          queue.end();
          queue.push(4);
        });
      }
    }
    assert.deepEqual(read, [1, 2, 3]);
  });

  it('cuts off a reader that falls behind, and holds no more than its limit', async () => {
    const queue = new EventQueue<number>(2);
    for (const item of [1, 2, 3, 4]) queue.push(item);
    await assert.rejects(queue.read().next(), /more than 2 events behind/);
  });
});
