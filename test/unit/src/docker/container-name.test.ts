import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../src/common/errors.ts';
import { checkContainerName } from '../../../../src/docker/container-name.ts';

describe('container names', () => {
  for (const [name, expected] of [
    ['web', 'web'],
    ['/web', 'web'],
    ['a1', 'a1'],
    ['Web_1.x-y', 'Web_1.x-y'],
  ] as const) {
    it(`accepts ${name}`, () => {
      assert.equal(checkContainerName(name), expected);
    });
  }

  for (const name of ['a', 'a b', '-web', '_web', '//web', 'node/web', 'wéb', '']) {
    it(`refuses "${name}" in the engine's words`, () => {
      assert.throws(
        () => checkContainerName(name),
        (error) =>
          error instanceof ApiError &&
          error.status === 400 &&
          error.message === `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      );
    });
  }
});
