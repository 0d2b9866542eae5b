// Which engines have which image, by every name and id under which it can be asked for. The same name may mean
// another image on another engine: answers come from the first engine in the order of names, so they do not flip.
import { compareText } from '../../common/compare-text.ts';
import { notFound } from '../../common/errors.ts';
import {
  familiarReference,
  imageIdDigits,
  normalizeReference,
  parseImageReference,
} from '../../docker/image-reference.ts';
import type { ImageRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../identity.ts';
import type { ImageLocation } from '../locations.ts';
import { OwnedKeys } from './owned-keys.ts';
import type { Owned } from './owned-keys.ts';

export class ImageIndex {
  readonly #identities: Identities;
  readonly #rows = new OwnedKeys<ImageRow>();
  #memo: { reference: string; revision: number; engines: ReadonlySet<Engine> } | undefined;

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  /** Takes over what the engine's mirror shows. */
  replace(engine: Engine): void {
    this.#rows.replace(
      engine,
      engine.mirror.images.map((row) => [row, imageKeys(row)]),
    );
  }

  removeEngine(engine: Engine): void {
    this.#rows.removeEngine(engine);
  }

  /** Throws 404. Engines that cannot be reached are named only when no other has the image. */
  resolve(reference: string): ImageLocation {
    const owned = this.#matching(reference);
    const healthy = owned.filter(({ engine }) => engine.state === 'healthy');
    const named = (healthy.length > 0 ? healthy : owned).map((one) => ({
      ...one,
      name: this.#identities.nameOf(one.engine),
    }));
    const [first, ...others] = named.sort((a, b) => compareText(a.name, b.name));
    if (first === undefined) throw notFound('image', familiarReference(reference));
    const engines = new Set(others.map(({ engine }) => engine));
    engines.delete(first.engine);
    return { engines: [first.engine, ...engines], row: first.row };
  }

  /** Every engine that has the image, unhealthy ones included. */
  enginesWith(reference: string): ReadonlySet<Engine> {
    // A placement asks every node for the same image in one go.
    const memo = this.#memo;
    if (memo?.reference === reference && memo.revision === this.#rows.revision) return memo.engines;
    const engines = new Set(this.#matching(reference).map(({ engine }) => engine));
    this.#memo = { reference, revision: this.#rows.revision, engines };
    return engines;
  }

  /** A name wins over the beginning of an id; the beginning of several ids means none of them. */
  #matching(reference: string): readonly Owned<ImageRow>[] {
    for (const key of referenceKeys(reference)) {
      const owned = this.#rows.get(key);
      if (owned.length > 0) return owned;
    }
    const digits = imageIdDigits(reference);
    if (digits === undefined) return [];
    const [key, other] = this.#rows.startingWith(idKey(digits), 2);
    return key === undefined || other !== undefined ? [] : this.#rows.get(key);
  }
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
