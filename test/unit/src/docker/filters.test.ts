import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../src/common/errors.ts';
import {
  assertKnownFilters,
  booleanFilter,
  Filters,
  hasLabel,
  matchesExactly,
  matchesPattern,
  matchesPrefix,
  matchLabels,
  parseFilters,
} from '../../../../src/docker/filters.ts';

const isBadRequest = (error: unknown): boolean => error instanceof ApiError && error.status === 400;

describe('filters', () => {
  it('are read from lists and from maps of true', () => {
    assert.deepEqual(parseFilters('{"label":["a=b","c"]}').get('label'), ['a=b', 'c']);
    assert.deepEqual(parseFilters('{"label":{"a=b":true,"c":true}}').get('label'), ['a=b', 'c']);
  });

  it('are none when absent, empty or null', () => {
    for (const text of [undefined, null, '', ' ', 'null', '{}']) assert.ok(parseFilters(text).isEmpty);
    assert.equal(parseFilters('{"label":[]}').has('label'), false);
    assert.equal(parseFilters('{"label":null}').has('label'), false);
  });

  for (const text of [
    '{',
    '[]',
    '"label"',
    '3',
    '{"label":"a"}',
    '{"label":[1]}',
    '{"label":{"a":"b"}}',
    '{"a":{"b":1}}',
  ]) {
    it(`refuse ${text} with 400`, () => {
      assert.throws(() => parseFilters(text), isBadRequest);
    });
  }

  it('are written in the form that all engines read', () => {
    assert.equal(
      parseFilters('{"label":["a=b","c"],"name":["x"]}').toJson(),
      '{"label":{"a=b":true,"c":true},"name":{"x":true}}',
    );
    assert.equal(new Filters().toJson(), '{}');
  });

  it('lose and gain a key without being changed themselves', () => {
    const filters = parseFilters('{"node":["n1"],"name":["x"]}');
    assert.deepEqual([...filters.without('node').keys()], ['name']);
    assert.deepEqual(filters.with('node', ['n2']).get('node'), ['n2']);
    assert.deepEqual(filters.get('node'), ['n1']);
  });

  it('with an unknown key are refused naming the key', () => {
    const filters = parseFilters('{"name":["x"],"bogus":["y"]}');
    assert.throws(
      () => {
        assertKnownFilters(filters, ['name']);
      },
      { status: 400, message: "invalid filter 'bogus'" },
    );
    assertKnownFilters(filters, ['bogus', 'name']);
  });

  it('know yes from no', () => {
    const dangling = (values: readonly string[]): boolean | undefined =>
      booleanFilter(new Filters([['dangling', values]]), 'dangling');
    assert.equal(dangling([]), undefined);
    assert.equal(dangling(['1']), true);
    assert.equal(dangling(['true']), true);
    assert.equal(dangling(['0']), false);
    assert.equal(dangling(['false']), false);
    assert.throws(() => dangling(['yes']), isBadRequest);
    assert.throws(() => dangling(['true', 'false']), isBadRequest);
  });

  it('compare exactly, by prefix, or by pattern, and hold when not given', () => {
    const filters = parseFilters('{"name":["web","^db-[0-9]$","a(b"]}');
    assert.deepEqual(
      ['web', 'web-1', 'db'].map((name) => matchesExactly(filters, 'name', name)),
      [true, false, false],
    );
    assert.deepEqual(
      ['web', 'web-1', 'my-web'].map((name) => matchesPrefix(filters, 'name', name)),
      [true, true, false],
    );
    assert.deepEqual(
      ['my-web-1', 'db-3', 'db-33', 'a(b', 'xa(b'].map((name) => matchesPattern(filters, 'name', name)),
      [true, true, false, true, false],
    );
    for (const matches of [matchesExactly, matchesPrefix, matchesPattern]) assert.ok(matches(filters, 'id', 'x'));
  });

  it('find names in linear time whatever the pattern', () => {
    const filters = new Filters([['name', ['(a+)+$']]]);
    assert.equal(matchesPattern(filters, 'name', `${'a'.repeat(5000)}!`), false);
  });
});

describe('label filters', () => {
  const labels = { tier: 'front', empty: '', 'a.b': 'c=d' };
  for (const [filter, expected] of [
    ['{}', true],
    ['{"label":["tier"]}', true],
    ['{"label":["tier=front","empty"]}', true],
    ['{"label":["tier=front","missing"]}', false],
    ['{"label":["tier=back"]}', false],
    ['{"label":["empty="]}', true],
    ['{"label":["a.b=c=d"]}', true],
    ['{"label":["toString"]}', false],
    ['{"label!":["tier=front"]}', false],
    ['{"label!":["tier=back"]}', true],
    ['{"label!":["tier","missing"]}', true],
  ] as const) {
    it(`${filter} ${expected ? 'accepts' : 'leaves out'} an object that is labelled`, () => {
      assert.equal(matchLabels(labels, parseFilters(filter)), expected);
    });
  }

  it('take an object without labels', () => {
    assert.equal(matchLabels(null, parseFilters('{"label":["tier"]}')), false);
    assert.equal(hasLabel({}, 'tier'), false);
  });
});
