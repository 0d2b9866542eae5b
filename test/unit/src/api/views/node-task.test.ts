import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { toNodeTask } from '../../../../../src/api/views/node-task.ts';
import type { ContainerRecord } from '../../../../../src/engine/mirror.ts';

function record(name: string, state: string, number?: string): ContainerRecord {
  const Labels = number === undefined ? {} : { 'com.docker.compose.container-number': number };
  const row = {
    Id: 'id1',
    Names: [`/${name}`],
    Image: 'busybox',
    ImageID: 'sha256:1',
    Created: 1_700_000_000,
    State: state,
    Labels,
  };
  return { id: 'id1', name, row, details: undefined };
}

describe('a container as a task of its node', () => {
  for (const [name, number, service, slot] of [
    ['web', undefined, 'web', 1],
    ['web-2', undefined, 'web-2', 1],
    ['shop-web-2', '2', 'shop-web', 2],
    ['shop_web_12', '12', 'shop_web', 12],
    ['shop-web-3.stale-node-2', '3', 'shop-web-3.stale-node-2', 1],
  ] as const) {
    it(`is ${service}.${slot} when it is called ${name}`, () => {
      const { ServiceID, Slot } = toNodeTask(record(name, 'running', number), 'ID1', undefined);
      assert.deepEqual([ServiceID, Slot], [service, slot]);
    });
  }

  for (const [state, shown, desired] of [
    ['running', 'running', 'running'],
    ['paused', 'running', 'running'],
    ['created', 'ready', 'shutdown'],
    ['exited', 'failed', 'shutdown'],
  ] as const) {
    it(`is ${shown} when it is ${state}`, () => {
      const { Status, DesiredState } = toNodeTask(record('web', state), 'ID1', undefined);
      assert.deepEqual([Status.State, DesiredState], [shown, desired]);
    });
  }

  it('says why it stays', () => {
    assert.equal(toNodeTask(record('web', 'running'), 'ID1', 'its data is here').Status.Err, 'its data is here');
  });
});
