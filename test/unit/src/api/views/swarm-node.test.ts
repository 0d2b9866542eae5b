import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { toSwarmNode } from '../../../../../src/api/views/swarm-node.ts';
import { aNode } from './a-node.ts';

describe('a member as a swarm-mode node', () => {
  it('has what docker node ls and inspect print', () => {
    const { ID, Spec, Description, Status } = toSwarmNode(aNode());
    assert.equal(ID, 'ID1');
    assert.deepEqual(Spec, {
      Name: 'node-1',
      Role: 'worker',
      Availability: 'active',
      Labels: {},
    });
    assert.deepEqual(Description, {
      Hostname: 'node-1',
      Platform: { Architecture: 'x86_64', OS: 'linux' },
      Resources: { NanoCPUs: 4_000_000_000, MemoryBytes: 8 * 1024 ** 3 },
      Engine: { EngineVersion: '20.10.24', Labels: { storage: 'ssd' }, Plugins: [] },
      TLSInfo: {},
    });
    assert.deepEqual(Status, { State: 'ready', Addr: '10.0.0.1' });
  });

  it('shows what operators have set, and the version to change it from', () => {
    const changedAt = new Date('2026-02-01T00:00:00Z');
    const settings = { availability: 'drain', labels: { rack: '7' }, version: 12, changedAt } as const;
    const { Version, Spec, UpdatedAt } = toSwarmNode(aNode({ settings }));
    assert.deepEqual(Version, { Index: 12 });
    assert.deepEqual([Spec.Availability, Spec.Labels], ['drain', { rack: '7' }]);
    assert.equal(UpdatedAt, '2026-02-01T00:00:00.000Z');
  });

  for (const [status, state] of [
    ['Healthy', 'ready'],
    ['Pending', 'unknown'],
    ['Unhealthy', 'down'],
    ['Disconnected', 'disconnected'],
  ] as const) {
    it(`is ${state} when ${status}`, () => {
      const { Status } = toSwarmNode(aNode({ status, error: 'refused', info: undefined, updatedAt: undefined }));
      assert.deepEqual(Status, { State: state, Addr: '10.0.0.1', Message: 'refused' });
    });
  }
});
