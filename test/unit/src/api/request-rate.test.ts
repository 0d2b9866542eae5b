import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RequestRate } from '../../../../src/api/request-rate.ts';

describe('the rate of requests', () => {
  function admitted(rate: RequestRate, count: number, address = 'a'): number {
    return Array.from({ length: count }, () => rate.admits(address)).filter(Boolean).length;
  }

  it('lets a burst of two seconds pass, and then so many a second', () => {
    let now = 0;
    const rate = new RequestRate(5, () => now);
    assert.equal(admitted(rate, 100), 10);
    now = 1_000;
    assert.equal(admitted(rate, 100), 5);
    now = 1_100;
    assert.equal(admitted(rate, 100), 0);
    now = 1_200;
    assert.equal(admitted(rate, 100), 1);
    now = 60_000;
    assert.equal(admitted(rate, 100), 10);
  });

  it('counts each address for itself', () => {
    const rate = new RequestRate(1, () => 0);
    assert.deepEqual([admitted(rate, 5, 'a'), admitted(rate, 5, 'b')], [2, 2]);
  });

  it('remembers no more than ten thousand addresses, and those who come often', () => {
    const rate = new RequestRate(1, () => 0);
    assert.equal(admitted(rate, 5, 'often'), 2);
    for (let index = 0; index < 30_000; index += 1) {
      rate.admits(`other ${index}`);
      if (index % 5_000 === 0) assert.equal(rate.admits('often'), false);
    }
    assert.equal(rate.admits('other 0'), true);
    assert.equal(rate.admits('other 29999'), true);
    assert.equal(rate.admits('other 29999'), false);
  });
});
