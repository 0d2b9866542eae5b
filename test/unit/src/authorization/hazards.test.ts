import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { forbiddenInContainer, forbiddenInExec, forbiddenInVolume } from '../../../../src/authorization/hazards.ts';
import { hazards, type Hazard, type Rule } from '../../../../src/authorization/rules.ts';

function aRule(rule: Partial<Rule>): Rule {
  return {
    ...{ name: 'a', who: [], verbs: new Set(), labels: {}, nodes: [], mounts: [] },
    forbidden: new Set(hazards),
    ...rule,
  };
}

const strict = aRule({ mounts: ['/srv/web', '/var/lib/data/'] });

describe('what a container asks of its host', () => {
  const asks: readonly (readonly [hazard: Hazard, host: object, says: RegExp])[] = [
    ['privileged', { Privileged: true }, /privileged container/],
    ['privileged', { privileged: true }, /privileged container/],
    ['host-network', { NetworkMode: 'host' }, /network of the host/],
    ['host-pid', { PidMode: 'host' }, /processes/],
    ['host-ipc', { IpcMode: 'host' }, /IPC/],
    ['host-uts', { UTSMode: 'host' }, /host name/],
    ['host-user', { UsernsMode: 'host' }, /users/],
    ['host-cgroup', { CgroupnsMode: 'host' }, /control groups/],
    ['capabilities', { CapAdd: ['NET_ADMIN'] }, /capabilities NET_ADMIN/],
    ['devices', { Devices: [{ PathOnHost: '/dev/kvm' }] }, /devices/],
    ['devices', { DeviceRequests: [{}] }, /devices/],
    ['devices', { DeviceCgroupRules: ['c 1:3 mr'] }, /devices/],
    ['security-options', { SecurityOpt: ['seccomp=unconfined'] }, /less confinement/],
    ['security-options', { SecurityOpt: ['apparmor:unconfined'] }, /less confinement/],
    ['security-options', { MaskedPaths: [] }, /less confinement/],
    ['host-mounts', { Binds: ['/:/host'] }, /the path \/ of the host/],
    ['host-mounts', { Binds: ['/srv/web/../../etc:/x:ro'] }, /the path \/etc of/],
    ['host-mounts', { Binds: ['/srv/webs:/x'] }, /\/srv\/webs/],
    ['host-mounts', { Mounts: [{ Type: 'bind', Source: '/etc', Target: '/x' }] }, /\/etc/],
    ['host-mounts', { mounts: [{ type: 'bind', source: '/etc' }] }, /\/etc/],
    [
      'host-mounts',
      { Mounts: [{ Type: 'volume', VolumeOptions: { DriverConfig: { Options: { o: 'bind', device: '/etc' } } } }] },
      /\/etc/,
    ],
  ];
  for (const [hazard, host, says] of asks) {
    it(`is forbidden by ${hazard} alone: ${JSON.stringify(host)}`, () => {
      assert.match(forbiddenInContainer({ HostConfig: host }, strict) ?? '', says);
      const others = new Set(hazards.filter((other) => other !== hazard));
      assert.equal(forbiddenInContainer({ HostConfig: host }, aRule({ forbidden: others })), undefined);
    });
  }

  const harmless: readonly object[] = [
    {},
    { HostConfig: null },
    { HostConfig: { Privileged: false, CapAdd: [], CapAdd2: ['x'], Devices: null, MaskedPaths: null } },
    { HostConfig: { NetworkMode: 'bridge', PidMode: 'container:a', IpcMode: 'private', CapDrop: ['ALL'] } },
    { HostConfig: { Binds: ['data:/data', '/anonymous', '/srv/web:/a', '/srv/web/b:/b:ro', '/var/lib/data/x:/c'] } },
    {
      HostConfig: {
        Mounts: [
          { Type: 'volume', Source: 'data' },
          { Type: 'tmpfs', Target: '/x' },
        ],
      },
    },
    { HostConfig: { SecurityOpt: ['no-new-privileges'], SecurityOptions: ['seccomp=unconfined'] } },
    { Labels: { a: '1', A: '2' } },
  ];
  for (const body of harmless) {
    it(`is harmless in ${JSON.stringify(body)}`, () => {
      assert.equal(forbiddenInContainer(body, strict), undefined);
    });
  }

  const tricks: readonly object[] = [
    { HostConfig: { Privileged: true }, hostconfig: {} },
    { HostConfig: { Privileged: true, privileged: false } },
    { HostConfig: { 'Device\u017f': [{}] } },
    { HostConfig: { Mounts: [{ Type: 'bind', type: 'volume', Source: '/' }] } },
  ];
  for (const body of tricks) {
    it(`is not hidden by a member that Go reads otherwise: ${JSON.stringify(body)}`, () => {
      assert.match(forbiddenInContainer(body, strict) ?? '', /twice/);
    });
  }

  it('may come as a volume', () => {
    const body = { Name: 'x', DriverOpts: { type: 'none', o: 'bind', device: '/etc' } };
    assert.match(forbiddenInVolume(body, strict) ?? '', /\/etc/);
    assert.equal(forbiddenInVolume({ DriverOpts: { device: '/srv/web/x' } }, strict), undefined);
    assert.equal(forbiddenInVolume({ DriverOpts: { type: 'tmpfs', device: 'tmpfs' } }, strict), undefined);
  });

  it('may come as a command', () => {
    assert.match(forbiddenInExec({ Cmd: ['sh'], Privileged: true }, strict) ?? '', /privileged command/);
    assert.match(forbiddenInExec({ privileged: true, Privileged: false }, strict) ?? '', /twice/);
    assert.equal(forbiddenInExec({ Cmd: ['sh'] }, strict), undefined);
  });
});
