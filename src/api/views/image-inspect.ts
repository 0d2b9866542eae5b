// GET /images/{name}/json in the shape of the client's API version: what the version at which the engine was asked has
// dropped is put back for clients that read it without looking.
import { compareApiVersion } from '../../docker/api-version.ts';
import { goMember, mapMember } from '../../docker/go-member.ts';
import type { WireObject } from '../../docker/types.ts';

export interface ImageReader {
  /** The client's API version. */
  readonly version: string;
  /** Undefined when the client sent none. */
  readonly userAgent: string | undefined;
  /** The version of the engine's answer. */
  readonly engineVersion: string;
}

interface LegacyRule {
  /** The API version that dropped it. */
  readonly until: string;
  readonly restore: (image: WireObject) => WireObject;
}

/** What an image cannot have, but its configuration had members for. */
const emptyMembers = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
};

const legacyRules: readonly LegacyRule[] = [
  {
    until: '1.50',
    restore: (image) => ({ ...image, Config: { ...emptyMembers, ...mapMember(image, 'Config') } }),
  },
  {
    until: '1.45',
    restore: (image) => ({ Container: '', ContainerConfig: goMember(image, 'Config') ?? {}, ...image }),
  },
  { until: '1.44', restore: (image) => ({ VirtualSize: goMember(image, 'Size') ?? 0, ...image }) },
];

export function imageInspectFor({ version, userAgent, engineVersion }: ImageReader, image: WireObject): WireObject {
  const read = isFirstCompose(userAgent) && compareApiVersion(version, '1.45') >= 0 ? '1.44' : version;
  return legacyRules
    .filter(({ until }) => compareApiVersion(read, until) < 0 && compareApiVersion(engineVersion, until) >= 0)
    .reduce((answer, { restore }) => restore(answer), image);
}

/** It asks at the newest version offered, and ends with an error where an image has no ContainerConfig. */
function isFirstCompose(userAgent = ''): boolean {
  return userAgent.startsWith('docker-compose/1.');
}
