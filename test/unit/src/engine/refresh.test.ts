import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { withResolvers } from '../../../../src/common/abort.ts';
import type { Resolvers } from '../../../../src/common/abort.ts';
import { TaskSet } from '../../../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../../../src/common/logger.ts';
import { IncompleteRead, Refresh } from '../../../../src/engine/refresh.ts';
import { until } from '../../../support/until.ts';

describe('a refresh', () => {
  const sets: TaskSet[] = [];

  afterEach(async () => {
    for (const tasks of sets.splice(0)) await tasks.stop();
  });

  /** A refresh whose reads end when the test says so. */
  function aRefresh(): {
    readonly refresh: Refresh;
    readonly reads: Resolvers<undefined>[];
    readonly tasks: TaskSet;
    idle: number;
  } {
    const tasks = new TaskSet(createSilentLogger());
    sets.push(tasks);
    const reads: Resolvers<undefined>[] = [];
    const made = {
      reads,
      tasks,
      idle: 0,
      refresh: new Refresh({
        name: 'test',
        run: async () => {
          const read = withResolvers<undefined>();
          reads.push(read);
          await read.promise;
        },
        retry: { initialMs: 1, maxMs: 2 },
        tasks,
        onFailure: () => undefined,
        onIdle: () => (made.idle += 1),
      }),
    };
    return made;
  }

  /** Counts how many of the promises have resolved. */
  function counted(promises: readonly Promise<unknown>[]): { count: number } {
    const resolved = { count: 0 };
    for (const promise of promises) promise.then(() => (resolved.count += 1), assert.ifError);
    return resolved;
  }

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('lets those who ask during a read wait for one more, however many they are', async () => {
    const { refresh, reads } = aRefresh();
    const first = counted([refresh.request()]);
    await until('the first read began', () => reads.length === 1);
    const later = counted([refresh.request(), refresh.request(), refresh.request()]);
    reads[0]?.resolve(undefined);
    await until('the second read began', () => reads.length === 2);
    assert.equal(first.count, 1);
    assert.equal(later.count, 0);
    reads[1]?.resolve(undefined);
    await until('the others are released', () => later.count === 3);
    assert.equal(reads.length, 2);
  });

  it('reads once for all who ask at one time', async () => {
    const { refresh, reads } = aRefresh();
    const all = counted([refresh.request(), refresh.request()]);
    await until('the read began', () => reads.length === 1);
    reads[0]?.resolve(undefined);
    await until('all are released', () => all.count === 2);
    assert.equal(reads.length, 1);
  });

  it('reads anew for a request that comes when the last read has ended', async () => {
    const made = aRefresh();
    const first = made.refresh.request();
    await until('it reads', () => made.reads.length === 1);
    made.reads[0]?.resolve(undefined);
    await first;
    const second = made.refresh.request();
    await until('it reads again', () => made.reads.length === 2);
    made.reads[1]?.resolve(undefined);
    await second;
    await turn();
    assert.equal(made.idle, 2);
  });

  it('reads again after a failure and releases only after a success', async () => {
    const { refresh, reads } = aRefresh();
    const waiting = counted([refresh.request()]);
    for (let attempt = 0; attempt < 5; attempt++) {
      await until('the attempt began', () => reads.length === attempt + 1);
      reads[attempt]?.reject(new Error('out of order'));
      await turn();
      assert.equal(waiting.count, 0);
    }
    await until('the last attempt began', () => reads.length === 6);
    reads[5]?.resolve(undefined);
    await until('it is released', () => waiting.count === 1);
  });

  it('releases after some incomplete reads, and goes on until one is complete', async () => {
    const made = aRefresh();
    const waiting = counted([made.refresh.request()]);
    for (let attempt = 0; attempt < 6; attempt++) {
      await until('the attempt began', () => made.reads.length === attempt + 1);
      made.reads[attempt]?.reject(new IncompleteRead('part'));
    }
    assert.equal(waiting.count, 1);
    await until('it still reads', () => made.reads.length === 7);
    made.reads[6]?.resolve(undefined);
    await until('it has ended', () => made.idle === 1);
  });

  it('releases everyone when it is abandoned, and starts anew afterwards', async () => {
    const { refresh, reads } = aRefresh();
    const waiting = counted([refresh.request(), refresh.request()]);
    await until('the read began', () => reads.length === 1);
    refresh.abandon();
    await until('all are released', () => waiting.count === 2);
    const again = counted([refresh.request()]);
    await until('another read began', () => reads.length === 2);
    reads[0]?.resolve(undefined);
    await turn();
    assert.equal(again.count, 0);
    reads[1]?.resolve(undefined);
    await until('the new one is released', () => again.count === 1);
  });

  it('releases who leaves, and everyone when the tasks are stopped', async () => {
    const { refresh, reads, tasks } = aRefresh();
    const leaving = new AbortController();
    const gone = counted([refresh.request(leaving.signal)]);
    const others = counted([refresh.request()]);
    await until('the read began', () => reads.length === 1);
    leaving.abort();
    await until('the first is released', () => gone.count === 1);
    assert.equal(others.count, 0);
    const stopped = tasks.stop();
    reads[0]?.resolve(undefined);
    await stopped;
    await until('the others are released', () => others.count === 1);
    await refresh.request();
  });

  it('lets those in no hurry share the read that another one wants', async () => {
    const { refresh, reads } = aRefresh();
    const patient = counted([refresh.requestSoon(60_000), refresh.requestSoon(60_000)]);
    await turn();
    assert.equal(reads.length, 0);
    const hasty = counted([refresh.request()]);
    await until('the read began', () => reads.length === 1);
    reads[0]?.resolve(undefined);
    await until('all are released', () => patient.count === 2 && hasty.count === 1);
    assert.equal(reads.length, 1);
  });

  it('reads for those in no hurry when nobody else asks, and after the read that began before them', async () => {
    const { refresh, reads } = aRefresh();
    const first = counted([refresh.request()]);
    await until('the first read began', () => reads.length === 1);
    const patient = counted([refresh.requestSoon(1)]);
    reads[0]?.resolve(undefined);
    await until('the first is released', () => first.count === 1);
    await until('the second read began', () => reads.length === 2);
    assert.equal(patient.count, 0);
    reads[1]?.resolve(undefined);
    await until('the patient one is released', () => patient.count === 1);
  });

  it('releases those in no hurry when it is abandoned', async () => {
    const { refresh, reads } = aRefresh();
    const patient = counted([refresh.requestSoon(60_000)]);
    refresh.abandon();
    await until('it is released', () => patient.count === 1);
    assert.equal(reads.length, 0);
  });
});
