import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withResolvers } from '../../../../src/common/abort.ts';
import type { Resolvers } from '../../../../src/common/abort.ts';
import { Limiter } from '../../../../src/engine/limiter.ts';
import { until } from '../../../support/until.ts';

describe('a limiter', () => {
  const never = new AbortController().signal;

  it('runs so many at a time, the others in their order', async () => {
    const limiter = new Limiter(2);
    const running: { readonly name: number; readonly work: Resolvers<number> }[] = [];
    const results = [0, 1, 2, 3].map((name) =>
      limiter.run(() => {
        const work = withResolvers<number>();
        running.push({ name, work });
        return work.promise;
      }, never),
    );
    await until('two run', () => running.length === 2);
    running[1]?.work.resolve(1);
    await until('a third runs', () => running.length === 3);
    running[0]?.work.resolve(0);
    await until('the fourth runs', () => running.length === 4);
    running[2]?.work.resolve(2);
    running[3]?.work.resolve(3);
    assert.deepEqual(await Promise.all(results), [0, 1, 2, 3]);
    assert.deepEqual(
      running.map(({ name }) => name),
      [0, 1, 2, 3],
    );
  });

  it('gives the place of work that takes too long to the next, and its result to who waits for it', async () => {
    const limiter = new Limiter(1);
    const slow = withResolvers<string>();
    const late = limiter.run(() => slow.promise, never, 1);
    assert.equal(await limiter.run(() => Promise.resolve('next'), never), 'next');
    slow.resolve('late');
    assert.equal(await late, 'late');
    const [one, two] = [withResolvers<undefined>(), withResolvers<undefined>()];
    let begun = 0;
    const both = [one, two].map(({ promise }) =>
      limiter.run(() => {
        begun += 1;
        return promise;
      }, never),
    );
    await until('one runs', () => begun === 1);
    one.resolve(undefined);
    two.resolve(undefined);
    await Promise.all(both);
  });

  it('frees the place of work that fails and of one who leaves while waiting', async () => {
    const limiter = new Limiter(1);
    const first = withResolvers<undefined>();
    const failing = limiter.run(() => first.promise, never);
    const leaving = new AbortController();
    const left = limiter.run(() => Promise.reject(new Error('never begun')), leaving.signal);
    const last = limiter.run(() => Promise.resolve('done'), never);
    leaving.abort(new Error('left'));
    await assert.rejects(left, /^Error: left$/);
    first.reject(new Error('failed'));
    await assert.rejects(failing, /^Error: failed$/);
    assert.equal(await last, 'done');
    assert.equal(await limiter.run(() => Promise.resolve('again'), never), 'again');
  });
});
