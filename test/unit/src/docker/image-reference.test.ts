import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  familiarReference,
  familiarRepository,
  isImageId,
  matchesReference,
  normalizeReference,
  parseImageReference,
} from '../../../../src/docker/image-reference.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${hex}`;

describe('image references', () => {
  it('spell a whole id with its algorithm', () => {
    assert.equal(familiarReference(hex), digest);
  });

  for (const [reference, normal, familiar] of [
    ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['team/app', 'docker.io/team/app:latest', 'team/app:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['reg.example.com/a/b/c:v1', 'reg.example.com/a/b/c:v1', 'reg.example.com/a/b/c:v1'],
    ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
    [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`, `busybox:1@${digest}`],
  ] as const) {
    it(`spell ${reference} as ${normal} and ${familiar}`, () => {
      assert.equal(normalizeReference(reference), normal);
      assert.equal(familiarReference(reference), familiar);
    });
  }

  for (const reference of [
    '',
    'Busybox',
    'a b',
    'busybox:',
    ':tag',
    'busybox:a b',
    '-x',
    'a//b',
    'busybox@sha256:12',
    hex,
    'a/',
    '/a',
    'x:tag:tag',
  ]) {
    it(`are not valid as "${reference}"`, () => {
      assert.equal(parseImageReference(reference), undefined);
    });
  }

  it('have a repository that is shortened only for the official images', () => {
    const repository = (reference: string): string => familiarRepository(parseImageReference(reference)!);
    assert.equal(repository('docker.io/library/busybox:1'), 'busybox');
    assert.equal(repository('docker.io/team/app'), 'team/app');
    assert.equal(repository('host:5000/app'), 'host:5000/app');
  });

  it('are told from ids', () => {
    assert.deepEqual(['sha256:0123', hex, 'abc123', 'busybox', `sha256:${hex}0`].map(isImageId), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('an image', () => {
  const other = `sha256:${'f'.repeat(64)}`;
  const image = { id: digest, repoTags: ['busybox:latest', 'host:5000/app:v1'], repoDigests: [`busybox@${other}`] };
  for (const [reference, expected] of [
    ['busybox', true],
    ['docker.io/library/busybox:latest', true],
    ['busybox:1', false],
    ['host:5000/app:v1', true],
    ['host:5000/app', false],
    ['app:v1', false],
    [digest, true],
    [hex, true],
    ['0123456789ab', true],
    ['sha256:0123', true],
    ['123456', false],
    [`busybox@${other}`, true],
    [`busybox:whatever@${other}`, true],
    [`app@${other}`, false],
    [`busybox@${digest}`, true],
    [`nginx@${digest}`, false],
    ['<none>:<none>', false],
  ] as const) {
    it(`is ${expected ? '' : 'not '}meant by ${reference}`, () => {
      assert.equal(matchesReference(reference, image), expected);
    });
  }

  it('without tags is found by its id alone', () => {
    assert.equal(matchesReference('busybox', { id: digest, repoTags: null }), false);
    assert.equal(matchesReference('0123456789ab', { id: digest, repoTags: null }), true);
  });
});
