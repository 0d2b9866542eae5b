// Image references: "busybox", "host:5000/team/app:tag", "app@sha256:...", and image ids. Two spellings of one
// image compare equal only after normalising: busybox is docker.io/library/busybox:latest.

export interface ImageReference {
  readonly domain: string;
  /** "library/busybox" */
  readonly path: string;
  /** undefined only when there is a digest. */
  readonly tag: string | undefined;
  /** "sha256:..." */
  readonly digest: string | undefined;
}

export interface ImageNames {
  readonly id: string;
  readonly repoTags?: readonly string[] | null | undefined;
  readonly repoDigests?: readonly string[] | null | undefined;
}

const component = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
const domainPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::\d+)?$/;
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const fullId = /^(?:sha256:)?([0-9a-f]{64})$/;
const idPrefix = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/** The normalised parts, `latest` added when there is neither tag nor digest; undefined when the engine would refuse `reference`. */
export function parseImageReference(reference: string): ImageReference | undefined {
  const at = reference.indexOf('@');
  const digest = at === -1 ? undefined : reference.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  const named = at === -1 ? reference : reference.slice(0, at);
  if (fullId.test(named)) return undefined;
  const { repository, tag } = splitTag(named);
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const { domain, path } = splitDomain(repository);
  if (!domainPattern.test(domain) || !pathPattern.test(path) || path.length + domain.length > 255) return undefined;
  return { domain, path, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** Why `reference` is refused where it is neither an id nor a name, in the engine's words; undefined when it is one. */
export function referenceProblem(reference: string): string | undefined {
  if (isImageId(reference) || parseImageReference(reference) !== undefined) return undefined;
  const named = reference === '' ? undefined : parseImageReference(reference.toLowerCase());
  if (named === undefined) return 'invalid reference format';
  const { repository } = splitTag(reference.split('@', 1).join(''));
  return `invalid reference format: repository name (${splitDomain(repository).path}) must be lowercase`;
}

const wholeId = /^[0-9a-f]{64}$/;

/** "docker.io/library/busybox:latest"; undefined when `reference` is not valid. */
export function normalizeReference(reference: string): string | undefined {
  const parsed = parseImageReference(reference);
  return parsed === undefined ? undefined : `${parsed.domain}/${parsed.path}${suffix(parsed)}`;
}

/** The short spelling that engines show: "busybox:latest", "sha256:..." for a whole id. What is not valid comes back unchanged. */
export function familiarReference(reference: string): string {
  if (wholeId.test(reference)) return `sha256:${reference}`;
  const parsed = parseImageReference(reference);
  if (parsed === undefined) return reference;
  return `${familiarRepository(parsed)}${suffix(parsed)}`;
}

/** "busybox", "host:5000/team/app": without tag and digest. */
export function familiarRepository({ domain, path }: ImageReference): string {
  if (domain !== 'docker.io') return `${domain}/${path}`;
  return path.startsWith('library/') && !path.slice(8).includes('/') ? path.slice(8) : path;
}

/** Whether `reference` is written as an id: sha256:..., 64 hex digits, or a shorter prefix. A short one may be a name as well. */
export function isImageId(reference: string): boolean {
  return idPrefix.test(reference);
}

/** The hex digits of an id or a prefix of one; undefined when `reference` is not written as an id. */
export function imageIdDigits(reference: string): string | undefined {
  return idPrefix.exec(reference)?.[1];
}

/** Whether `reference` (a name, a name with digest, an id or a prefix of one) means the image. A digest decides over a tag. */
export function matchesReference(reference: string, image: ImageNames): boolean {
  const digits = imageIdDigits(reference);
  if (digits !== undefined && image.id.replace(/^sha256:/, '').startsWith(digits)) return true;
  const wanted = parseImageReference(reference);
  if (wanted === undefined) return false;
  if (wanted.digest !== undefined) return hasDigest(wanted, wanted.digest, image);
  const tagged = normalizeReference(reference);
  return (image.repoTags ?? []).some((tag) => normalizeReference(tag) === tagged);
}

/** An image may be asked for by its id as a digest too: engines with the containerd store name both the same. */
function hasDigest(
  { domain, path }: ImageReference,
  digest: string,
  { id, repoDigests, repoTags }: ImageNames,
): boolean {
  const wanted = `${domain}/${path}`;
  if ((repoDigests ?? []).some((known) => normalizeReference(known) === `${wanted}@${digest}`)) return true;
  return id === digest && (repoTags ?? []).some((tag) => repositoryOf(tag) === wanted);
}

function repositoryOf(reference: string): string | undefined {
  const parsed = parseImageReference(reference);
  return parsed === undefined ? undefined : `${parsed.domain}/${parsed.path}`;
}

function suffix({ tag, digest }: ImageReference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitTag(named: string): { repository: string; tag: string | undefined } {
  const colon = named.lastIndexOf(':');
  if (colon === -1 || named.includes('/', colon)) return { repository: named, tag: undefined };
  return { repository: named.slice(0, colon), tag: named.slice(colon + 1) };
}

/** The first component is a domain when it cannot be part of a path: it has a dot, a colon, a capital, or is localhost. */
function splitDomain(repository: string): { domain: string; path: string } {
  const slash = repository.indexOf('/');
  const first = slash === -1 ? '' : repository.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = isDomain ? first : 'docker.io';
  const path = isDomain ? repository.slice(slash + 1) : repository;
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return { domain, path };
  return { domain: 'docker.io', path: path.includes('/') || path === '' ? path : `library/${path}` };
}
