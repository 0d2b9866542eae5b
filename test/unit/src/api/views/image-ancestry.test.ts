import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { descendants } from '../../../../../src/api/views/image-ancestry.ts';
import type { ImageRow } from '../../../../../src/docker/types.ts';

function image(digit: string, ParentId: string, ...RepoTags: string[]): ImageRow {
  return { Id: idOf(digit), ParentId: ParentId === '' ? '' : idOf(ParentId), RepoTags, RepoDigests: [], Created: 1 };
}

function idOf(digit: string): string {
  return `sha256:${digit.repeat(64)}`;
}

const images = [
  image('a', '', 'base:latest'),
  image('b', 'a'),
  image('c', 'b', 'app:1', 'host:5000/team/app:1'),
  image('d', '', 'dead:latest'),
];

describe('descendants', () => {
  for (const [references, expected] of [
    [['base'], 'abc'],
    [['base:latest'], 'abc'],
    [['docker.io/library/base'], 'abc'],
    [['base:2'], ''],
    [['app:1'], 'c'],
    [['host:5000/team/app:1'], 'c'],
    [[idOf('b')], 'bc'],
    [['bbbb'], 'bc'],
    [['dead'], 'd'],
    [['app:1', 'dead'], 'cd'],
    [['nope'], ''],
  ] as const) {
    it(`of ${references.join(' and ')} are ${expected === '' ? 'none' : expected}`, () => {
      const found = descendants(images, references);
      assert.deepEqual([...found].sort(), Array.from(expected, idOf));
    });
  }

  it('prefers a name to the beginning of an id', () => {
    const found = descendants([image('d', ''), image('e', '', 'ddd:latest')], ['ddd']);
    assert.deepEqual([...found], [idOf('e')]);
  });
});
