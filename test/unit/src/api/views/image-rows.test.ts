import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { imageRowFor, mergeImageRows, withoutIntermediate } from '../../../../../src/api/views/image-rows.ts';
import type { ImageRow } from '../../../../../src/docker/types.ts';

function row(Id: string, parts: Partial<ImageRow> = {}): ImageRow {
  return { Id, RepoTags: [], RepoDigests: [], Created: 1, Size: 10, SharedSize: -1, Containers: -1, ...parts };
}

function sum(a: number, b: number): number {
  return a + b;
}

describe('mergeImageRows', () => {
  it('makes one row of an image that several nodes have, with all its names', () => {
    const [merged, ...others] = mergeImageRows(
      [
        row('a', { RepoTags: ['x:1', 'x:2'], RepoDigests: ['x@sha256:1'] }),
        row('a', { RepoTags: ['x:2', 'y:1'], RepoDigests: ['x@sha256:1', 'y@sha256:2'] }),
      ],
      Math.max,
    );
    assert.equal(others.length, 0);
    assert.deepEqual(merged?.RepoTags, ['x:1', 'x:2', 'y:1']);
    assert.deepEqual(merged.RepoDigests, ['x@sha256:1', 'y@sha256:2']);
  });

  it('keeps two images of one name apart', () => {
    const rows = mergeImageRows([row('a', { RepoTags: ['x:1'] }), row('b', { RepoTags: ['x:1'] })], Math.max);
    assert.deepEqual(
      rows.map(({ Id, RepoTags }) => [Id, RepoTags]),
      [
        ['a', ['x:1']],
        ['b', ['x:1']],
      ],
    );
  });

  it('shows the newest first, and of equal age by id', () => {
    const rows = mergeImageRows([row('b'), row('c', { Created: 2 }), row('a')], Math.max);
    assert.deepEqual(
      rows.map(({ Id }) => Id),
      ['c', 'a', 'b'],
    );
  });

  it('takes no name for what one node has without a name', () => {
    const nameless = row('a', { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] });
    const [merged] = mergeImageRows([nameless, row('a', { RepoTags: ['x:1'] })], Math.max);
    assert.deepEqual([merged?.RepoTags, merged?.RepoDigests], [['x:1'], []]);
  });

  for (const [a, b, largest, together] of [
    [10, 12, 12, 22],
    [-1, 12, 12, 12],
    [-1, -1, -1, -1],
  ] as const) {
    it(`adds up sizes ${a} and ${b} as it is told`, () => {
      const rows = [row('a', { Size: a, SharedSize: a }), row('a', { Size: b, SharedSize: b })];
      assert.deepEqual(mergeImageRows(rows, Math.max)[0], row('a', { Size: largest, SharedSize: largest }));
      assert.deepEqual(mergeImageRows(rows, sum)[0], row('a', { Size: together, SharedSize: together }));
    });
  }

  it('adds up containers, but not what nobody counted', () => {
    const count = (a: number, b: number): unknown =>
      mergeImageRows([row('a', { Containers: a }), row('a', { Containers: b })], Math.max)[0]?.Containers;
    assert.deepEqual([count(2, 3), count(-1, 3), count(2, -1), count(-1, -1)], [5, 3, 2, -1]);
  });

  it('unites the platforms of an image', () => {
    const manifest = (ID: string, Available: boolean, ...Containers: string[]): object => ({
      ID,
      Available,
      Kind: 'image',
      ImageData: { Size: 1, Containers },
    });
    const [merged] = mergeImageRows(
      [
        row('a', { Manifests: [manifest('amd64', true, 'c1'), manifest('arm64', false)] }),
        row('a', { Manifests: [manifest('amd64', true, 'c2'), manifest('arm64', true, 'c3')] }),
      ],
      Math.max,
    );
    assert.deepEqual(merged?.['Manifests'], [manifest('amd64', true, 'c1', 'c2'), manifest('arm64', true, 'c3')]);
  });
});

describe('withoutIntermediate', () => {
  it('leaves out only what has no name and lies beneath another image', () => {
    const rows = [
      row('base', { RepoTags: ['base:1'] }),
      row('step', { ParentId: 'base', RepoTags: ['<none>:<none>'] }),
      row('app', { ParentId: 'step', RepoTags: ['app:1'] }),
      row('dangling', { ParentId: 'base' }),
      row('pinned', { ParentId: '', RepoDigests: ['x@sha256:1'] }),
      row('above', { ParentId: 'pinned' }),
    ];
    assert.deepEqual(
      withoutIntermediate(rows).map(({ Id }) => Id),
      ['base', 'app', 'dangling', 'pinned', 'above'],
    );
  });
});

describe('imageRowFor', () => {
  for (const [version, tags, digests, virtualSize] of [
    ['1.41', ['<none>:<none>'], ['<none>@<none>'], 10],
    ['1.42', ['<none>:<none>'], ['<none>@<none>'], 10],
    ['1.43', [], [], 10],
    ['1.44', [], [], undefined],
    ['1.51', [], [], undefined],
  ] as const) {
    it(`writes a nameless image of any engine as an engine of ${version} does`, () => {
      for (const given of [row('a'), row('a', { RepoTags: ['<none>:<none>'], RepoDigests: null, VirtualSize: 10 })]) {
        const { RepoTags, RepoDigests, VirtualSize } = imageRowFor(version, given);
        assert.deepEqual([RepoTags, RepoDigests, VirtualSize], [tags, digests, virtualSize]);
      }
    });
  }

  it('does not make up a name for an image that has a digest', () => {
    const { RepoTags, RepoDigests } = imageRowFor('1.41', row('a', { RepoDigests: ['x@sha256:1'] }));
    assert.deepEqual([RepoTags, RepoDigests], [[], ['x@sha256:1']]);
  });

  it('writes that there is no digest as each version does', () => {
    const tagged = row('a', { RepoTags: ['x:1'] });
    assert.equal(imageRowFor('1.42', tagged).RepoDigests, null);
    assert.deepEqual(imageRowFor('1.43', tagged).RepoDigests, []);
  });
});
