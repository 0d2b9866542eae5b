import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { infoFor } from '../../../../../src/api/views/info-version.ts';

/** As an engine of 1.51 tells it. */
const newest = {
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
  Runtimes: { runc: { path: 'runc', status: { features: '{}' } } },
  Containerd: { Address: '/run/containerd.sock' },
  RegistryConfig: { Mirrors: [] },
  FirewallBackend: { Driver: 'iptables' },
  RuncCommit: { ID: 'v1.1.5' },
  InitCommit: { ID: '' },
};

describe('info', () => {
  for (const [version, field, expected] of [
    ['1.24', 'SecurityOptions', ['seccomp', 'cgroupns']],
    ['1.25', 'SecurityOptions', newest.SecurityOptions],
    ['1.41', 'KernelMemory', true],
    ['1.42', 'KernelMemory', undefined],
    ['1.43', 'Runtimes', { runc: { path: 'runc' } }],
    ['1.44', 'Runtimes', newest.Runtimes],
    ['1.45', 'Containerd', undefined],
    ['1.46', 'Containerd', newest.Containerd],
    [
      '1.46',
      'RegistryConfig',
      { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [], Mirrors: [] },
    ],
    ['1.47', 'RegistryConfig', { Mirrors: [] }],
    ['1.48', 'FirewallBackend', undefined],
    ['1.49', 'FirewallBackend', newest.FirewallBackend],
    ['1.48', 'RuncCommit', { Expected: 'v1.1.5', ID: 'v1.1.5' }],
    ['1.49', 'RuncCommit', { ID: 'v1.1.5' }],
    ['1.48', 'InitCommit', { ID: '' }],
    ['1.49', 'BridgeNfIptables', false],
    ['1.50', 'BridgeNfIptables', undefined],
  ] as const) {
    it(`has ${field} at ${version} as ${expected === undefined ? 'nothing' : JSON.stringify(expected)}`, () => {
      assert.deepEqual(infoFor(version, newest)[field], expected);
    });
  }

  it('keeps what engines of older releases say by themselves', () => {
    const told = { KernelMemory: false, BridgeNfIptables: true, RuncCommit: { ID: 'a', Expected: 'b' } };
    const { KernelMemory, BridgeNfIptables, RuncCommit } = infoFor('1.24', told);
    assert.deepEqual({ KernelMemory, BridgeNfIptables, RuncCommit }, told);
  });
});
