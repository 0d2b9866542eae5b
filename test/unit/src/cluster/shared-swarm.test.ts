import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { shareOneSwarm } from '../../../../src/cluster/shared-swarm.ts';
import type { EngineInfo } from '../../../../src/docker/types.ts';

describe('shareOneSwarm', () => {
  const outside: EngineInfo = { Swarm: { LocalNodeState: 'inactive' } };
  const cases: readonly (readonly [string, readonly (EngineInfo | undefined)[], boolean])[] = [
    ['a manager and its worker', [manager('m1', 'c1'), worker('m1')], true],
    ['two managers of one swarm', [manager('m1', 'c1'), manager('m2', 'c1')], true],
    ['managers of two swarms', [manager('m1', 'c1'), manager('m2', 'c2')], false],
    ['a worker of another swarm', [manager('m1', 'c1'), worker('m9')], false],
    ['workers alone', [worker('m1'), worker('m1')], false],
    ['an engine outside', [manager('m1', 'c1'), outside], false],
    ['an engine that is not known yet', [manager('m1', 'c1'), undefined], false],
    ['one manager alone', [manager('m1', 'c1')], false],
    ['no engine', [], false],
  ];
  for (const [title, engines, expected] of cases) {
    it(`is ${String(expected)} for ${title}`, () => {
      assert.equal(shareOneSwarm(engines), expected);
    });
  }
});

function manager(nodeId: string, clusterId: string): EngineInfo {
  return { Swarm: { LocalNodeState: 'active', ControlAvailable: true, NodeID: nodeId, Cluster: { ID: clusterId } } };
}

function worker(managerId: string): EngineInfo {
  return { Swarm: { LocalNodeState: 'active', ControlAvailable: false, RemoteManagers: [{ NodeID: managerId }] } };
}
