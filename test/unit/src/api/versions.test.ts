import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { clientVersion, effectivePath, effectiveVersion } from '../../../../src/api/versions.ts';

const engine = (min: string, max: string): { apiVersion: { min: string; max: string } } => ({
  apiVersion: { min, max },
});

describe('the version of a client', () => {
  it('is the newest one when the path names none', () => {
    assert.equal(clientVersion(undefined), '1.51');
  });

  for (const version of ['1.24', '1.41', '1.51', '1.24.0', '1.41.5', '01.041']) {
    it(`is ${version} when the path says so`, () => {
      assert.equal(clientVersion(version), version);
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ['1.52', 'client version 1.52 is too new. Maximum supported API version is 1.51'],
    ['9.9', 'client version 9.9 is too new. Maximum supported API version is 1.51'],
    ['2', 'client version 2 is too new. Maximum supported API version is 1.51'],
    ['1.100', 'client version 1.100 is too new. Maximum supported API version is 1.51'],
    [
      '1.23',
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
    [
      '1..4',
      'client version 1..4 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
  ];
  for (const [version, message] of refused) {
    it(`is refused when it is ${version}`, () => {
      assert.throws(() => clientVersion(version), { status: 400, message });
    });
  }
});

describe('the version on an engine', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['1.41', '1.24', '1.51', '1.41'],
    ['1.51', '1.12', '1.41', '1.41'],
    ['1.30', '1.44', '1.52', '1.44'],
    ['1.9', '1.12', '1.41', '1.12'],
  ];
  for (const [client, min, max, expected] of cases) {
    it(`is ${expected} for a client of ${client} and an engine of ${min} to ${max}`, () => {
      assert.equal(effectiveVersion(client, engine(min, max)), expected);
    });
  }

  it('stands in front of the path, with the query as it came', () => {
    const path = effectivePath({ version: '1.51' }, engine('1.12', '1.41'), { path: '/info', search: 'a=%20&a=2' });

    assert.equal(path, '/v1.41/info?a=%20&a=2');
  });

  it('adds no question mark without a query', () => {
    assert.equal(effectivePath({ version: '1.24' }, engine('1.12', '1.41'), { path: '/x', search: '' }), '/v1.24/x');
  });
});
