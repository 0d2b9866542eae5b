import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseDurationMs } from '../../../../src/docker/duration.ts';
import { parseGoBool } from '../../../../src/docker/go-bool.ts';
import { changeGoMember, goMember, withGoMember, withoutGoMember } from '../../../../src/docker/go-member.ts';

describe('booleans of query arguments', () => {
  for (const text of ['', '0', 'no', 'NO', 'false', 'False', 'none', ' 0 ', undefined, null]) {
    it(`take ${String(text === '' ? 'no text' : text)} for false`, () => {
      assert.equal(parseGoBool(text), false);
    });
  }
  for (const text of ['1', 'true', 'yes', 'x', 'off', '00']) {
    it(`take "${text}" for true`, () => {
      assert.equal(parseGoBool(text), true);
    });
  }
});

describe('durations', () => {
  for (const [text, expected] of [
    ['0', 0],
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['-2m', -120_000],
    ['+2m', 120_000],
    ['300ms', 300],
    ['1us', 0.001],
    ['2µs', 0.002],
    ['1h0m1s500ms', 3_601_500],
    ['', undefined],
    ['5', undefined],
    ['1d', undefined],
    ['s', undefined],
    ['1h 5m', undefined],
    ['--1s', undefined],
  ] as const) {
    it(`reads "${text}" as ${expected ?? 'nothing'}`, () => {
      assert.equal(parseDurationMs(text), expected);
    });
  }
});

describe('members of JSON objects', () => {
  it('are found in whatever case they are written', () => {
    assert.equal(goMember({ name: 'a' }, 'Name'), 'a');
    assert.equal(goMember({ NAME: 'a' }, 'Name'), 'a');
    assert.equal(goMember({ Names: 'a' }, 'Name'), undefined);
  });

  it('count once when two keys differ in case only: the later one', () => {
    assert.equal(goMember({ Name: 'a', name: 'b' }, 'Name'), 'b');
    assert.equal(goMember({ name: 'b', Name: 'a' }, 'Name'), 'a');
  });

  it('are absent when null, and in what is not an object', () => {
    assert.equal(goMember({ Name: null }, 'Name'), undefined);
    for (const value of [null, undefined, 'text', 3, ['Name']]) assert.equal(goMember(value, 'Name'), undefined);
  });

  it('are replaced under the spelling they have', () => {
    assert.deepEqual(withGoMember({ name: 'a', other: 1 }, 'Name', 'b'), { name: 'b', other: 1 });
    assert.deepEqual(withGoMember({ other: 1 }, 'Name', 'b'), { other: 1, Name: 'b' });
  });
});

describe('members of JSON objects that are taken away or changed', () => {
  it('are taken away in every spelling', () => {
    assert.deepEqual(withoutGoMember({ name: 1, Other: 2, NAME: 3 }, 'Name'), { Other: 2 });
  });

  it('leave the very object when there is nothing to do', () => {
    const object = { Other: 2, Null: null };
    assert.equal(withoutGoMember(object, 'Name'), object);
    for (const name of ['Name', 'Null'])
      assert.equal(
        changeGoMember(object, name, () => 1),
        object,
      );
    assert.equal(
      changeGoMember(object, 'Other', (value) => value),
      object,
    );
  });

  it('are changed under the spelling that they have', () => {
    assert.deepEqual(
      changeGoMember({ name: 1, Other: 2 }, 'Name', (value) => [value]),
      { name: [1], Other: 2 },
    );
  });
});
