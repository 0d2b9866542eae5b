import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { localDataOf, localVolumesOf } from '../../../../../src/cluster/reschedule/local-data.ts';
import type { ContainerInspect, MountPoint, VolumeRow } from '../../../../../src/docker/types.ts';

const anonymous = 'ab'.repeat(32);
const volumes = new Map<string, VolumeRow>(
  [
    { Name: 'data', Driver: 'local', Scope: 'local' },
    { Name: 'shared', Driver: 'nfs', Scope: 'global' },
    { Name: anonymous, Driver: 'local', Scope: 'local' },
  ].map((row) => [row.Name, row]),
);

function inspect(mount: MountPoint): ContainerInspect {
  return { Id: 'x', Name: '/web', Created: '', Image: '', Mounts: [mount] };
}

describe('data that lies on the node of a container', () => {
  for (const [title, mount, expected] of [
    ['a volume', { Type: 'volume', Name: 'data', Destination: '/data' }, ['volume data']],
    ['a volume that is not known yet', { Type: 'volume', Name: 'new', Destination: '/data' }, ['volume new']],
    ['a volume without a name', { Type: 'volume', Name: anonymous, Destination: '/data' }, ['volume at /data']],
    ['a volume that every node reaches', { Type: 'volume', Name: 'shared', Destination: '/data' }, []],
    ['a folder of the host', { Type: 'bind', Source: '/srv/db', RW: true }, ['folder /srv/db']],
    ['a folder that is only read', { Type: 'bind', Source: '/etc/app', RW: false }, []],
    ['the socket of the engine', { Type: 'bind', Source: '/var/run/docker.sock', RW: true }, []],
    ['memory', { Type: 'tmpfs', Destination: '/tmp' }, []],
  ] as const) {
    it(`is ${expected.length === 0 ? 'not ' : ''}${title}`, () => {
      assert.deepEqual(localDataOf(inspect(mount), volumes), expected);
    });
  }

  it('has the names of volumes for those who let them go', () => {
    assert.deepEqual(localVolumesOf(inspect({ Type: 'volume', Name: anonymous }), volumes), [anonymous]);
    assert.deepEqual(localVolumesOf(inspect({ Type: 'volume', Name: 'shared' }), volumes), []);
  });
});
