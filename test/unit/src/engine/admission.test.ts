import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withResolvers } from '../../../../src/common/abort.ts';
import { Admission } from '../../../../src/engine/admission.ts';
import { until } from '../../../support/until.ts';

const { signal } = new AbortController();

describe('the admission of engines', () => {
  it('lets so many begin, and the others as these end', async () => {
    const admission = new Admission();
    const ends: (() => void)[] = [];
    const works = Array.from({ length: 100 }, () =>
      admission.run(async () => {
        const { promise, resolve } = withResolvers<undefined>();
        ends.push(() => {
          resolve(undefined);
        });
        await promise;
      }, signal),
    );
    await until('the first have begun', () => ends.length > 0);
    const begun = ends.length;
    assert.ok(begun < 100);
    ends[0]?.();
    await until('another one begins', () => ends.length > begun);
    for (let index = 0; index < 100; index++) {
      await until('its turn has come', () => ends.length > index);
      ends[index]?.();
    }
    await Promise.all(works);
  });

  it('gives the place of a slow one on after a while, and still answers with what it found', async () => {
    const admission = new Admission();
    const slow = withResolvers<string>();
    const slowOnes = Array.from({ length: 60 }, () => admission.run(() => slow.promise, signal));
    assert.equal(await admission.run(() => Promise.resolve('quick'), signal), 'quick');
    slow.resolve('slow');
    assert.deepEqual(new Set(await Promise.all(slowOnes)), new Set(['slow']));
  });

  it('passes on why a work failed, and goes on with the next', async () => {
    const admission = new Admission();
    await assert.rejects(
      admission.run(() => Promise.reject(new Error('no list')), signal),
      /no list/,
    );
    assert.equal(await admission.run(() => Promise.resolve(1), signal), 1);
  });

  it('does not begin what was given up while it waited', async () => {
    const leaving = new AbortController();
    leaving.abort(new Error('gone'));
    await assert.rejects(
      new Admission().run(() => assert.fail('it began'), leaving.signal),
      /gone/,
    );
  });
});
