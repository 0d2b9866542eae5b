// The oldest API version at which an engine does all that a create body asks for. Older engines leave out
// without a word what they do not know, for example the sub-path of a volume, so they must not get the container.
import { compareApiVersion } from '../docker/api-version.ts';
import { goMember, listMember, mapMember, textMember } from '../docker/go-member.ts';
import type { CreateBody } from '../docker/types.ts';

/** undefined: every engine will do. */
export function minimumApiVersion(body: CreateBody): string | undefined {
  const host = goMember(body, 'HostConfig');
  const mounts = listMember(host, 'Mounts').map(mountVersion);
  const endpoints = Object.values(mapMember(goMember(body, 'NetworkingConfig'), 'EndpointsConfig')).map(
    endpointVersion,
  );
  return [...mounts, ...endpoints].reduce(newer, undefined);
}

function mountVersion(mount: unknown): string | undefined {
  if (textMember(mount, 'Type') === 'image') return '1.48';
  if (listMember(goMember(mount, 'TmpfsOptions'), 'Options').length > 0) return '1.46';
  if (textMember(goMember(mount, 'VolumeOptions'), 'Subpath') !== '') return '1.45';
  if (goMember(goMember(mount, 'BindOptions'), 'ReadOnlyForceRecursive') === true) return '1.44';
  return textMember(mount, 'Type') === 'cluster' ? '1.42' : undefined;
}

function endpointVersion(endpoint: unknown): string | undefined {
  const sysctls = textMember(goMember(endpoint, 'DriverOpts'), 'com.docker.network.endpoint.sysctls');
  return sysctls === '' ? undefined : '1.46';
}

function newer(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareApiVersion(a, b) >= 0 ? a : b;
}
