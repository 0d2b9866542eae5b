// THE table for requests that are older than the oldest version of the engine they go to. They run at a newer
// version than the client meant, so defaults that changed are written out, and what the client's version did not
// have is left out or refused, as the engine would do if it still spoke that version.
import { goMember, textMember, withGoMember, withoutGoMember } from '../go-member.ts';
import type { WireObject } from '../types.ts';
import { changeHost, changeObject } from './create-body.ts';
import { macAddressForEndpoint, withoutEndpointMacAddresses } from './endpoints.ts';
import {
  hasMountOfType,
  hasMountOption,
  withNonRecursiveReadOnly,
  withoutBindOption,
  withoutForeignOptions,
} from './mounts.ts';
import type { NewerEngineRule } from './rule.ts';

const create = 'create container';

export const newerEngineRules: readonly NewerEngineRule[] = [
  {
    operation: create,
    since: '1.40',
    kind: 'rewrite',
    rewrite: (body) => withHostDefault(body, 'IpcMode', 'shareable'),
  },
  { operation: create, since: '1.40', kind: 'rewrite', rewrite: (body) => withoutBindOption(body, 'NonRecursive') },
  {
    operation: 'update container',
    since: '1.40',
    kind: 'rewrite',
    rewrite: (body) => withoutGoMember(body, 'PidsLimit'),
  },
  {
    operation: create,
    since: '1.41',
    kind: 'rewrite',
    rewrite: (body, engine) => (engine.cgroupVersion === '1' ? withHostDefault(body, 'CgroupnsMode', 'host') : body),
  },
  { operation: create, since: '1.42', kind: 'rewrite', rewrite: (body) => withoutBindOption(body, 'CreateMountpoint') },
  { operation: create, since: '1.42', kind: 'rewrite', rewrite: withoutForeignOptions },
  {
    operation: create,
    since: '1.42',
    kind: 'rewrite',
    rewrite: (body) => changeHost(body, (host) => withoutGoMember(host, 'ConsoleSize')),
  },
  { operation: 'create exec', since: '1.42', kind: 'rewrite', rewrite: (body) => withoutGoMember(body, 'ConsoleSize') },
  {
    operation: create,
    since: '1.43',
    kind: 'rewrite',
    rewrite: (body) => changeHost(body, (host) => withoutGoMember(host, 'Annotations')),
  },
  {
    operation: create,
    since: '1.44',
    kind: 'rewrite',
    rewrite: (body) => changeObject(body, 'Healthcheck', (check) => withoutGoMember(check, 'StartInterval')),
  },
  {
    operation: create,
    since: '1.44',
    kind: 'refuse',
    feature: 'BindOptions.ReadOnlyForceRecursive',
    isUsed: (body) => hasMountOption(body, 'BindOptions', 'ReadOnlyForceRecursive'),
  },
  { operation: create, since: '1.44', kind: 'rewrite', rewrite: withNonRecursiveReadOnly },
  { operation: create, since: '1.44', kind: 'rewrite', rewrite: withoutEndpointMacAddresses },
  { operation: create, since: '1.44', kind: 'rewrite', rewrite: macAddressForEndpoint },
  {
    operation: create,
    since: '1.45',
    kind: 'refuse',
    feature: 'VolumeOptions.Subpath',
    isUsed: (body) => hasMountOption(body, 'VolumeOptions', 'Subpath'),
  },
  {
    operation: create,
    since: '1.46',
    kind: 'refuse',
    feature: 'TmpfsOptions.Options',
    isUsed: (body) => hasMountOption(body, 'TmpfsOptions', 'Options'),
  },
  {
    operation: create,
    since: '1.48',
    kind: 'refuse',
    feature: "Mount type 'image'",
    isUsed: (body) => hasMountOfType(body, 'image'),
  },
  { operation: create, since: '1.52', kind: 'rewrite', rewrite: macAddressForEndpoint },
];

/** A member of HostConfig is written out where the client left it to the engine. */
function withHostDefault(body: WireObject, name: string, value: string): WireObject {
  const host = goMember(body, 'HostConfig');
  if (textMember(host, name) !== '') return body;
  if (host === undefined) return withGoMember(body, 'HostConfig', { [name]: value });
  return changeHost(body, (given) => withGoMember(given, name, value));
}
