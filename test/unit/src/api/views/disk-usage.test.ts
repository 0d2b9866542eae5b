import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { diskUsageTypes, parseDiskUsage, toDiskUsage } from '../../../../../src/api/views/disk-usage.ts';

const first = parseDiskUsage({
  LayersSize: 100,
  Images: [{ Id: 'i', RepoTags: ['x:1'], RepoDigests: [], Created: 1, Size: 100, SharedSize: 40, Containers: 1 }],
  Containers: [{ Id: 'c1', Names: ['/web'], Image: 'x', ImageID: 'i', Created: 1, SizeRw: 7 }],
  Volumes: [{ Name: 'data', Driver: 'local', Scope: 'local', UsageData: { Size: 5, RefCount: 1 } }],
  BuildCache: [{ ID: 'b', Size: 9 }],
});
const second = parseDiskUsage({
  LayersSize: 110,
  Images: [{ Id: 'i', RepoTags: ['x:1'], RepoDigests: [], Created: 1, Size: 110, SharedSize: 0, Containers: 2 }],
  Containers: null,
  Volumes: [{ Name: 'data', Driver: 'local', Scope: 'local', UsageData: { Size: 6, RefCount: 0 } }],
});
const nodes = [
  { node: 'node-1', usage: first },
  { node: 'node-2', usage: second },
];

/** As it is written. */
function usage(version: string, ...types: string[]): Record<string, unknown> {
  const answer = toDiskUsage(version, nodes, new Set(types.length === 0 ? diskUsageTypes : types));
  return JSON.parse(JSON.stringify(answer)) as Record<string, unknown>;
}

describe('disk usage', () => {
  it('adds up what one image takes on each node, so that the rest can be computed', () => {
    const { LayersSize, Images } = usage('1.51');
    assert.equal(LayersSize, 210);
    assert.deepEqual(Images, [
      { Id: 'i', RepoTags: ['x:1'], RepoDigests: null, Created: 1, Size: 210, SharedSize: 40, Containers: 3 },
    ]);
  });

  it('lists containers, volumes and build cache of all nodes', () => {
    const { Containers, Volumes, BuildCache } = usage('1.51');
    assert.deepEqual(
      (Containers as readonly { Id: string }[]).map(({ Id }) => Id),
      ['c1'],
    );
    assert.deepEqual(BuildCache, first.buildCache);
    assert.deepEqual(
      (Volumes as readonly { Name: string; UsageData: unknown }[]).map(({ Name, UsageData }) => [Name, UsageData]),
      [
        ['data', { Size: 5, RefCount: 1 }],
        ['node-2/data', { Size: 6, RefCount: 0 }],
      ],
    );
  });

  for (const [type, field] of [
    ['image', 'Images'],
    ['container', 'Containers'],
    ['volume', 'Volumes'],
    ['build-cache', 'BuildCache'],
  ] as const) {
    it(`tells of ${type} only when only that was asked for`, () => {
      const answer = usage('1.51', type);
      const lists = Object.entries(answer).filter(([name]) => name !== 'LayersSize');
      for (const [name, value] of lists) assert.equal(value === null, name !== field, name);
      assert.equal(answer['LayersSize'], type === 'image' ? 210 : 0);
    });
  }

  it('has the size of the build cache for clients that know no other', () => {
    assert.equal(usage('1.41')['BuilderSize'], 9);
    assert.equal('BuilderSize' in usage('1.42'), false);
  });

  it('is silent about a build cache where engines are', () => {
    const old = parseDiskUsage({ BuildCache: null, BuilderSize: 0 });
    const newer = parseDiskUsage({ BuildCache: [] });
    const all = new Set<string>(diskUsageTypes);
    const of = (...usages: (typeof old)[]): unknown[] => {
      const { BuildCache, BuilderSize } = toDiskUsage(
        '1.41',
        usages.map((one) => ({ node: 'n', usage: one })),
        all,
      );
      return [BuildCache, BuilderSize];
    };
    assert.deepEqual(of(old), [null, 0]);
    assert.deepEqual(of(newer), [[], undefined]);
    assert.deepEqual(of(old, newer), [[], 0]);
  });

  it('throws on what no engine answers', () => {
    assert.throws(() => parseDiskUsage({ Images: 'many' }));
  });
});
