// The answer of GET /system/df over all nodes. Sizes are added up, not taken once: an image that two nodes have takes
// room on both, and what clients call reclaimable is the difference between these sums.
import { compareApiVersion } from '../../docker/api-version.ts';
import { isWireObject, numberMember } from '../../docker/go-member.ts';
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
  /** Undefined of an engine that keeps none. */
  readonly buildCache: readonly WireObject[] | undefined;
  /** Told beside the cache itself by engines before API 1.42. */
  readonly builderSize: number | undefined;
}

export interface NodeDiskUsage {
  readonly node: string;
  /** Its containers are as clients see them. */
  readonly usage: DiskUsage;
}

/** Each list may be null or missing. Throws when the answer is not what engines give. */
export function parseDiskUsage(body: unknown): DiskUsage {
  const answer = isWireObject(body) ? body : {};
  const { LayersSize: layersSize, BuildCache: buildCache, BuilderSize: builderSize } = answer;
  return {
    layersSize: typeof layersSize === 'number' ? layersSize : 0,
    images: parseImageRows(answer['Images']),
    containers: parseContainerRows(answer['Containers']),
    volumes: parseVolumeRows(answer),
    buildCache: Array.isArray(buildCache) ? buildCache.filter(isWireObject) : undefined,
    builderSize: typeof builderSize === 'number' ? builderSize : undefined,
  };
}

/** Of the kinds that were not asked for it has null, as engines have. */
export function toDiskUsage(
  version: string,
  nodes: readonly NodeDiskUsage[],
  wanted: ReadonlySet<string>,
): Record<string, unknown> {
  const ifWanted = <T>(type: (typeof diskUsageTypes)[number], read: () => T): T | null =>
    wanted.has(type) ? read() : null;
  return {
    LayersSize: ifWanted('image', () => nodes.reduce((total, { usage }) => total + usage.layersSize, 0)) ?? 0,
    Images: ifWanted('image', () => imagesOf(nodes, version)),
    Containers: ifWanted('container', () => nodes.flatMap(({ usage }) => usage.containers)),
    Volumes: ifWanted('volume', () => volumesOf(nodes)),
    BuildCache: ifWanted('build-cache', () => buildCacheOf(nodes)),
    ...(compareApiVersion(version, '1.42') < 0 ? builderSizeOf(nodes) : {}),
  };
}

function imagesOf(nodes: readonly NodeDiskUsage[], version: string): object[] {
  const merged = mergeImageRows(
    nodes.flatMap(({ usage }) => usage.images),
    (a, b) => a + b,
  );
  return merged.map((row) => {
    const shown = imageRowFor(version, row);
    return { ...shown, RepoDigests: shown.RepoDigests?.length === 0 ? null : shown.RepoDigests };
  });
}

function buildCacheOf(nodes: readonly NodeDiskUsage[]): readonly WireObject[] | null {
  const caches = nodes.map(({ usage }) => usage.buildCache).filter((cache) => cache !== undefined);
  return caches.length === 0 ? null : caches.flat();
}

/** Newer engines leave a size of nothing out. */
function builderSizeOf(nodes: readonly NodeDiskUsage[]): { readonly BuilderSize?: number } {
  const total = (buildCacheOf(nodes) ?? []).reduce((sum, entry) => sum + numberMember(entry, 'Size'), 0);
  const isTold = nodes.some(({ usage }) => usage.builderSize !== undefined);
  return total > 0 || isTold ? { BuilderSize: total } : {};
}

function volumesOf(nodes: readonly NodeDiskUsage[]): VolumeRow[] {
  const merged = mergeVolumeRows(nodes.map(({ node, usage }) => ({ node, source: node, rows: usage.volumes })));
  return merged.map(({ row }) => row);
}
