import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../src/common/errors.ts';
import { holdsForAny, parseExpression } from '../../../../src/scheduler/expression.ts';
import { MatchTime } from '../../../../src/scheduler/regular-expression.ts';

describe('expressions', () => {
  for (const [text, key, operator, value, isSoft] of [
    ['node==node1', 'node', '==', 'node1', false],
    ['node!=node-1', 'node', '!=', 'node-1', false],
    ['node==~node_1', 'node', '==', 'node_1', true],
    ['node!=~node1', 'node', '!=', 'node1', true],
    ['com.example.type==front end', 'com.example.type', '==', 'front end', false],
    ['_k==v', '_k', '==', 'v', false],
    ['k==v', 'k', '==', 'v', false],
    ['kernelversion>=5.10', 'kernelversion', '>=', '5.10', false],
    ['slots<~8', 'slots', '<', '8', true],
    ['slots<=8', 'slots', '<=', '8', false],
    ['slots>8', 'slots', '>', '8', false],
    ['a==b==c', 'a', '==', 'b==c', false],
    ['image==busybox@sha256:ab', 'image', '==', 'busybox@sha256:ab', false],
    ['node==/a{2,3}|b/', 'node', '==', '/a{2,3}|b/', false],
    ['topology/zone==a,b', 'topology/zone', '==', 'a,b', false],
  ] as const) {
    it(`reads ${text}`, () => {
      const expression = parseExpression('affinity', text);
      assert.deepEqual(
        { key: expression.key, operator: expression.operator, value: expression.value, isSoft: expression.isSoft },
        { key, operator, value, isSoft },
      );
      assert.equal(expression.text, text);
    });
  }

  for (const [text, position, expected] of [
    ['', 1, 'a key that begins with a letter or _'],
    ['1node==a', 1, 'a key that begins with a letter or _'],
    ['==a', 1, 'a key that begins with a letter or _'],
    ['node', 5, 'one of the operators ==, !=, <, <=, >, >='],
    ['a=b', 2, 'one of the operators ==, !=, <, <=, >, >='],
    ['no*de==a', 3, 'one of the operators ==, !=, <, <=, >, >='],
    ['node == a', 5, 'one of the operators ==, !=, <, <=, >, >='],
    ['node==', 7, 'a value'],
    ['node!=~', 8, 'a value'],
    ['version>=new', 10, 'a number or a version'],
    ['disks>1e5', 7, 'a number or a version'],
    ['node==/(.?){1000}/', 7, 'a shorter regular expression'],
    [`node==/(${'x{1000}'.repeat(20)})/`, 7, 'a shorter regular expression'],
  ] as const) {
    it(`refuses "${text}" naming position ${position} and what was expected`, () => {
      assert.throws(
        () => parseExpression('constraint', text),
        (error) =>
          error instanceof ApiError &&
          error.status === 400 &&
          error.message === `invalid constraint "${text}" at position ${position}: expected ${expected}`,
      );
    });
  }

  it('refuses a broken regular expression at the place of its value', () => {
    assert.throws(() => parseExpression('constraint', 'node==/a(/'), {
      status: 400,
      message: /at position 7: expected a regular expression/,
    });
  });

  for (const [value, actual, expected] of [
    ['foo', 'foo', true],
    ['foo', 'foobar', false],
    ['foo*', 'foobar', true],
    ['*bar', 'foobar', true],
    ['*oba*', 'foobar', true],
    ['f*r', 'foobar', true],
    ['f*x*r', 'foobar', false],
    ['foo*or', 'foor', false],
    ['a*b*a', 'aba', true],
    ['aa*aa', 'aaa', false],
    ['*', '', true],
    ['a.b', 'a.b', true],
    ['a.b', 'axb', false],
    ['a.*', 'a.b', true],
    ['a.*', 'axb', false],
    ['a(b*', 'a(bc', true],
    ['Foo', 'foo', false],
    ['/foo/', 'a foo b', true],
    ['/^foo$/', 'foobar', false],
    ['/(?i)FOO/', 'foo', true],
    ['/^(a|b)c{2}$/', 'bcc', true],
    ['/foo|bar/', 'bar', true],
    ['/', '/', true],
  ] as const) {
    it(`${value} ${expected ? 'matches' : 'does not match'} "${actual}"`, () => {
      assert.equal(parseExpression('constraint', `k==${value}`).matches(actual), expected);
    });
  }

  for (const [text, actual, expected] of [
    ['k>=5.10', '5.10.0-21-amd64', true],
    ['k>=5.10', '5.4.0', false],
    ['k>=5.10', '6', true],
    ['k<5.10', '5.9.9', true],
    ['k<=5.10', '5.10', true],
    ['k>5.10', '5.10.0', false],
    ['k>5.10', '5.10.1', true],
    ['k>v20.10', '24.0.7', true],
    ['k<8', '', false],
    ['k>=0', 'fast', false],
    ['k<16', '9', true],
  ] as const) {
    it(`${text} ${expected ? 'holds' : 'does not hold'} for "${actual}"`, () => {
      assert.equal(holdsForAny(parseExpression('constraint', text), [actual]), expected);
    });
  }

  it('with != hold only when none of several names matches', () => {
    const expression = parseExpression('constraint', 'node!=web*');
    assert.equal(holdsForAny(expression, ['id', 'web-1']), false);
    assert.equal(holdsForAny(expression, ['id', 'db-1']), true);
  });

  it('take linear time whatever the pattern', () => {
    assert.equal(parseExpression('constraint', 'k==/(a*)*$b/').matches('a'.repeat(5000)), false);
    assert.equal(parseExpression('constraint', `k==${'a*'.repeat(50)}b`).matches('a'.repeat(5000)), false);
  });

  it('compare no more of a value with a regular expression than can be done at once', () => {
    const { matches } = parseExpression('constraint', 'k==/(a?b?c?){200}d$/');
    assert.equal(matches(`${'abc'.repeat(30_000)}d`), false);
    assert.equal(matches(`${'abc'.repeat(30)}d`), true);
  });

  it('are given up when many of them take long together', () => {
    const time = new MatchTime(50);
    const slow = parseExpression('constraint', 'k==/(.?){300}[yz]$/', time);
    const value = 'abcdefghijklmnopqrstuvwxyz'.repeat(100);
    assert.throws(
      () => {
        for (let count = 0; count < 10_000; count += 1) slow.matches(`${value}${count}`);
      },
      { status: 400, message: /regular expressions among the rules take too long/ },
    );
  });

  it('have a zone at container affinities alone', () => {
    const affinity = parseExpression('affinity', 'container!=web*@zone');
    assert.deepEqual([affinity.value, affinity.zone], ['web*', 'zone']);
    const label = parseExpression('affinity', 'owner==joe@example.com');
    assert.deepEqual([label.value, label.zone], ['joe@example.com', undefined]);
    assert.equal(parseExpression('constraint', 'container==a@b').zone, undefined);
  });

  it('read back from their parts for every key, operator and value', () => {
    for (const key of ['a', '_', 'Zone-1', 'x.y_z/w']) {
      for (const operator of ['==', '!=', '<', '<=', '>', '>=']) {
        for (const value of ['1', '2.0.1', '7-rc']) {
          for (const mark of ['', '~']) {
            const text = `${key}${operator}${mark}${value}`;
            const parsed = parseExpression('constraint', text);
            assert.equal(`${parsed.key}${parsed.operator}${parsed.isSoft ? '~' : ''}${parsed.value}`, text);
          }
        }
      }
    }
  });
});
