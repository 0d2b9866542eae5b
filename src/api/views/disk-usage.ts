// The answer of GET /system/df over all nodes. Sizes are added up, not taken once: an image that two nodes have takes
// room on both, and what clients call reclaimable is the difference between these sums.
import { compareApiVersion } from '../../docker/api-version.ts';
import { isWireObject } from '../../docker/go-member.ts';
import type { ContainerRow, ImageRow, VolumeRow, WireObject } from '../../docker/types.ts';
import { parseContainerRows, parseImageRows, parseVolumeRows } from '../../engine/answers.ts';
import { imageRowFor, mergeImageRows } from './image-rows.ts';
import { mergeVolumeRows } from './volume-rows.ts';

export const diskUsageTypes = ['container', 'image', 'volume', 'build-cache'] as const;

/** What one engine counted. */
export interface DiskUsage {
  readonly layersSize: number;
  readonly images: readonly ImageRow[];
  readonly containers: readonly ContainerRow[];
  readonly volumes: readonly VolumeRow[];
  readonly buildCache: readonly WireObject[];
}

export interface NodeDiskUsage {
  readonly node: string;
  /** Its containers are as clients see them. */
  readonly usage: DiskUsage;
}

/** Each list may be null or missing. Throws when the answer is not what engines give. */
export function parseDiskUsage(body: unknown): DiskUsage {
  const answer = isWireObject(body) ? body : {};
  const { LayersSize: layersSize, BuildCache: buildCache } = answer;
  return {
    layersSize: typeof layersSize === 'number' ? layersSize : 0,
    images: parseImageRows(answer['Images']),
    containers: parseContainerRows(answer['Containers']),
    volumes: parseVolumeRows(answer),
    buildCache: Array.isArray(buildCache) ? buildCache.filter(isWireObject) : [],
  };
}

/** Of the kinds that were not asked for there is nothing in it. */
export function toDiskUsage(
  version: string,
  nodes: readonly NodeDiskUsage[],
  wanted: ReadonlySet<string>,
): Record<string, unknown> {
  const all = <T>(type: string, read: (usage: DiskUsage) => readonly T[]): T[] =>
    wanted.has(type) ? nodes.flatMap(({ usage }) => read(usage)) : [];
  const images = mergeImageRows(
    all('image', ({ images }) => images),
    (a, b) => a + b,
  );
  return {
    LayersSize: wanted.has('image') ? nodes.reduce((total, { usage }) => total + usage.layersSize, 0) : 0,
    Images: images.map((row) => imageRowFor(version, row)),
    Containers: all('container', ({ containers }) => containers),
    Volumes: wanted.has('volume') ? volumesOf(nodes) : [],
    BuildCache: all('build-cache', ({ buildCache }) => buildCache),
    ...(compareApiVersion(version, '1.42') < 0 ? { BuilderSize: 0 } : {}),
  };
}

function volumesOf(nodes: readonly NodeDiskUsage[]): VolumeRow[] {
  const merged = mergeVolumeRows(nodes.map(({ node, usage }) => ({ node, source: node, rows: usage.volumes })));
  return merged.map(({ row }) => row);
}
