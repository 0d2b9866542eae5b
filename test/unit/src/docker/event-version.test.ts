import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isToldAt } from '../../../../src/docker/event-version.ts';

describe('an event', () => {
  for (const [Type, Action, version, expected] of [
    ['image', 'create', '1.45', false],
    ['image', 'create', '1.46', true],
    ['image', 'tag', '1.24', true],
    ['container', 'create', '1.24', true],
  ] as const) {
    it(`is ${expected ? '' : 'not '}told at ${version}: ${Type} ${Action}`, () => {
      assert.equal(isToldAt(version, { Type, Action }), expected);
    });
  }
});
