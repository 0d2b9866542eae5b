// Which engines have which image, by every name and id under which it can be asked for. The same name may mean
// another image on another engine: an image made here takes its name from what was made earlier, as on one host.
import { compareText } from '../../common/compare-text.ts';
import { badRequest, notFound } from '../../common/errors.ts';
import type { ApiError } from '../../common/errors.ts';
import { isMadeHere } from '../../docker/image-origin.ts';
import {
  familiarReference,
  imageIdDigits,
  normalizeReference,
  parseImageReference,
  referenceProblem,
} from '../../docker/image-reference.ts';
import type { ImageRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import type { ImageLocation } from '../locations.ts';
import { NameMoves } from './name-moves.ts';
import { OwnedKeys } from './owned-keys.ts';
import type { Owned } from './owned-keys.ts';

export class ImageIndex {
  readonly #identities: Identities;
  readonly #rows = new OwnedKeys<ImageRow>();
  readonly #moves = new NameMoves();
  #memo: { reference: string; revision: number; engines: ReadonlySet<Engine> } | undefined;

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  /** Takes over what the engine's mirror shows. */
  replace(engine: Engine): void {
    const entries = engine.mirror.images.map((row) => [row, imageKeys(row)] as const);
    this.#moves.replace(engine, entries);
    this.#rows.replace(engine, entries);
  }

  removeEngine(engine: Engine): void {
    this.#moves.removeEngine(engine);
    this.#rows.removeEngine(engine);
  }

  /**
   * Throws 404, and 400 for what can be no name of an image. Engines that cannot be reached are named only when no other has the image; those where the name
   * still means an earlier image come last.
   */
  resolve(reference: string): ImageLocation {
    const { key, owned } = this.#matching(reference);
    const reachable = reachableOrAll(owned);
    const current = new Set(this.#current(key, reachable, reachable));
    const named = reachable.map((one) => ({
      ...one,
      name: this.#identities.nameOf(one.engine),
      rank: current.has(one) ? 0 : 1,
    }));
    const [first, ...others] = named.sort((a, b) => a.rank - b.rank || compareText(a.name, b.name));
    if (first === undefined) throw absent(reference);
    const engines = new Set(others.map(({ engine }) => engine));
    engines.delete(first.engine);
    return { engines: [first.engine, ...engines], row: first.row };
  }

  /** Every engine that has the image, unhealthy ones included, but not those where the name means an earlier one. */
  enginesWith(reference: string): ReadonlySet<Engine> {
    // A placement asks every node for the same image in one go.
    const memo = this.#memo;
    if (memo?.reference === reference && memo.revision === this.#rows.revision) return memo.engines;
    const { key, owned } = this.#matching(reference);
    const isSettled =
      !owned.some(({ row }) => isMadeHere(row)) || owned.every(({ row }) => row.Id === owned[0]?.row.Id);
    const latest = isSettled ? owned : this.#current(key, owned, reachableOrAll(owned));
    const engines = new Set(latest.map(({ engine }) => engine));
    // Which of several images is meant depends on the health of engines as well.
    if (isSettled) this.#memo = { reference, revision: this.#rows.revision, engines };
    return engines;
  }

  /** Whether nodes have the image and none of them got it from a registry. */
  isMadeHere(reference: string): boolean {
    const { owned } = this.#matching(reference);
    return owned.length > 0 && owned.every(({ row }) => isMadeHere(row));
  }

  /** Those of `owned` that are not outdated by the image which got the name last among `candidates`. */
  #current(key: string, owned: OwnedImages, candidates: OwnedImages): OwnedImages {
    const [latest] = [...candidates].sort(
      (a, b) =>
        this.#moves.movedAt(b.engine, key) - this.#moves.movedAt(a.engine, key) || b.row.Created - a.row.Created,
    );
    return latest === undefined ? [] : owned.filter((one) => !isOutdated(one, latest));
  }

  /** A name wins over the beginning of an id; the beginning of several ids means none of them. */
  #matching(reference: string): Matching {
    for (const key of referenceKeys(reference)) {
      const owned = this.#rows.get(key);
      if (owned.length > 0) return { key, owned };
    }
    const digits = imageIdDigits(reference);
    const [key, other] = digits === undefined ? [] : this.#rows.startingWith(idKey(digits), 2);
    return key === undefined || other !== undefined ? { key: '', owned: [] } : { key, owned: this.#rows.get(key) };
  }
}

function absent(reference: string): ApiError {
  const problem = referenceProblem(reference);
  return problem === undefined ? notFound('image', familiarReference(reference)) : badRequest(problem);
}

type OwnedImages = readonly Owned<ImageRow>[];

interface Matching {
  readonly key: string;
  readonly owned: OwnedImages;
}

function reachableOrAll(owned: OwnedImages): OwnedImages {
  const healthy = owned.filter(({ engine }) => engine.state === 'healthy');
  return healthy.length > 0 ? healthy : owned;
}

/** Images of a registry differ between nodes that pulled at different times, and between architectures: all are good. */
function isOutdated(one: Owned<ImageRow>, latest: Owned<ImageRow>): boolean {
  if (one.row.Id === latest.row.Id || !isMadeHere(latest.row)) return false;
  const [info, latestInfo] = [one.engine.info, latest.engine.info];
  if (info?.Architecture !== latestInfo?.Architecture) return false;
  // Stores name one image by different ids, but of the same time.
  return info?.Driver === latestInfo?.Driver || one.row.Created !== latest.row.Created;
}

function imageKeys(row: ImageRow): string[] {
  const names = [...(row.RepoTags ?? []), ...(row.RepoDigests ?? [])].map(normalizeReference);
  return [
    idKey(row.Id.replace(/^sha256:/, '')),
    ...names.filter((name) => name !== undefined).map(nameKey),
    ...(row.RepoTags ?? []).flatMap((tag) => digestIdKey(tag, row.Id)),
  ];
}

/** A containerd store's image id is its digest, so `repository@id` names it as well. */
function digestIdKey(tag: string, id: string): string[] {
  const parsed = parseImageReference(tag);
  return parsed === undefined ? [] : [nameKey(`${parsed.domain}/${parsed.path}@${id}`)];
}

/** Where a reference has a tag and a digest, the digest decides. */
function referenceKeys(reference: string): string[] {
  const parsed = parseImageReference(reference);
  const normalized = normalizeReference(reference);
  if (parsed === undefined || normalized === undefined) return [];
  if (parsed.digest === undefined) return [nameKey(normalized)];
  return [nameKey(`${parsed.domain}/${parsed.path}@${parsed.digest}`)];
}

function idKey(digits: string): string {
  return `id ${digits}`;
}

function nameKey(name: string): string {
  return `name ${name}`;
}
