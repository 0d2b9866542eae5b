// THE table for requests that are newer than the engine they go to. Engines leave out without a word what they do
// not know, so each feature that an engine of the window may lack has a row here, by version.
// Bodies only: arguments of the query are looked after where the call is handled.
import { goMember, mapMember } from '../go-member.ts';
import {
  hasEndpointSysctls,
  hasGatewayPriority,
  joinOneByOne,
  macAddressForContainer,
  setsGatewayPriority,
  setsSysctls,
} from './endpoints.ts';
import { directoriesAsBinds, hasMountOfType, hasMountOption, hasReadOnlyBind } from './mounts.ts';
import type { OlderEngineRule } from './rule.ts';

const create = 'create container';

export const olderEngineRules: readonly OlderEngineRule[] = [
  {
    operation: create,
    since: '1.42',
    kind: 'require',
    feature: 'a mount of type "cluster"',
    isUsed: (body) => hasMountOfType(body, 'cluster'),
  },
  { operation: create, since: '1.42', kind: 'rewrite', rewrite: directoriesAsBinds },
  {
    operation: create,
    since: '1.43',
    kind: 'warn',
    effect: 'HostConfig.Annotations are ignored',
    isUsed: (body) => Object.keys(mapMember(goMember(body, 'HostConfig'), 'Annotations')).length > 0,
  },
  {
    operation: create,
    since: '1.44',
    kind: 'warn',
    effect: 'Healthcheck.StartInterval is ignored',
    isUsed: (body) => (goMember(goMember(body, 'Healthcheck'), 'StartInterval') ?? 0) !== 0,
  },
  {
    operation: create,
    since: '1.44',
    kind: 'warn',
    effect: 'file systems mounted below a read-only bind stay writable',
    isUsed: hasReadOnlyBind,
  },
  {
    operation: create,
    since: '1.44',
    kind: 'require',
    feature: 'BindOptions.ReadOnlyForceRecursive',
    isUsed: (body) => hasMountOption(body, 'BindOptions', 'ReadOnlyForceRecursive'),
  },
  { operation: create, since: '1.44', kind: 'emulate', clients: 'newer', emulate: macAddressForContainer },
  // Compose 2 decides by the newest version of the server, not by the one that it speaks.
  { operation: create, since: '1.44', kind: 'emulate', clients: 'all', emulate: joinOneByOne },
  {
    operation: create,
    since: '1.45',
    kind: 'require',
    feature: 'VolumeOptions.Subpath',
    isUsed: (body) => hasMountOption(body, 'VolumeOptions', 'Subpath'),
  },
  {
    operation: create,
    since: '1.46',
    kind: 'require',
    feature: 'TmpfsOptions.Options',
    isUsed: (body) => hasMountOption(body, 'TmpfsOptions', 'Options'),
  },
  {
    operation: create,
    since: '1.46',
    kind: 'require',
    feature: 'sysctls of an endpoint',
    isUsed: hasEndpointSysctls,
  },
  {
    operation: create,
    since: '1.48',
    kind: 'require',
    feature: 'a mount of type "image"',
    isUsed: (body) => hasMountOfType(body, 'image'),
  },
  // Another default gateway than the one asked for may lead nowhere.
  { operation: create, since: '1.48', kind: 'require', feature: 'GwPriority', isUsed: hasGatewayPriority },
  {
    operation: 'connect network',
    since: '1.46',
    kind: 'require',
    feature: 'sysctls of an endpoint',
    isUsed: (body) => setsSysctls(goMember(body, 'EndpointConfig')),
  },
  {
    operation: 'connect network',
    since: '1.48',
    kind: 'require',
    feature: 'GwPriority',
    isUsed: (body) => setsGatewayPriority(goMember(body, 'EndpointConfig')),
  },
];
