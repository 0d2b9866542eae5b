import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DockerEvent } from '../../../../src/docker/types.ts';
import { eventEffects, orderKey } from '../../../../src/engine/event-effects.ts';

function anEvent(Type: string, Action: string, Attributes: Readonly<Record<string, string>> = {}): DockerEvent {
  return { Type, Action, Actor: { ID: 'x', Attributes }, time: 1, timeNano: 1e9 };
}

const container = { kind: 'container', id: 'x' } as const;

describe('the effects of events', () => {
  for (const { event, expected } of [
    { event: anEvent('container', 'start'), expected: [container] },
    { event: anEvent('container', 'die', { exitCode: '1' }), expected: [container] },
    { event: anEvent('container', 'health_status: healthy'), expected: [container] },
    { event: anEvent('container', 'rename', { oldName: '/a' }), expected: [container] },
    { event: anEvent('container', 'destroy'), expected: [{ kind: 'destroyed', id: 'x' }] },
    { event: anEvent('container', 'kill', { signal: '15' }), expected: [] },
    { event: anEvent('container', 'exec_start: sh -c start'), expected: [] },
    { event: anEvent('container', 'attach'), expected: [] },
    { event: anEvent('network', 'create'), expected: [{ kind: 'networks' }] },
    {
      event: anEvent('network', 'connect', { container: 'c9' }),
      expected: [{ kind: 'networks' }, { kind: 'container', id: 'c9' }],
    },
    {
      event: anEvent('network', 'connect', { container: 'c9', type: 'bridge' }),
      expected: [{ ...container, id: 'c9' }],
    },
    { event: anEvent('network', 'destroy', { type: 'bridge' }), expected: [{ kind: 'networks' }] },
    { event: anEvent('network', 'disconnect'), expected: [{ kind: 'networks' }] },
    { event: anEvent('volume', 'destroy'), expected: [{ kind: 'volumes' }] },
    { event: anEvent('volume', 'mount', { container: 'c9' }), expected: [] },
    { event: anEvent('image', 'pull'), expected: [{ kind: 'images' }] },
    { event: anEvent('image', 'delete'), expected: [{ kind: 'images' }] },
    { event: anEvent('image', 'push'), expected: [] },
    { event: anEvent('network', 'create', { name: 'ingress' }), expected: [{ kind: 'networks' }, { kind: 'info' }] },
    { event: anEvent('node', 'update', { name: 'n' }), expected: [] },
    { event: anEvent('node', 'update', { 'role.old': 'worker', 'role.new': 'manager' }), expected: [{ kind: 'info' }] },
    { event: anEvent('node', 'remove'), expected: [{ kind: 'info' }] },
    { event: anEvent('daemon', 'reload'), expected: [{ kind: 'info' }] },
    { event: anEvent('plugin', 'enable'), expected: [] },
  ]) {
    it(`of ${event.Type} ${event.Action} ${JSON.stringify(event.Actor.Attributes)} are ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(eventEffects(event), expected);
    });
  }

  it('keep a network connection in line with the events of its container', () => {
    assert.equal(orderKey(anEvent('network', 'connect', { container: 'x' })), orderKey(anEvent('container', 'start')));
    assert.notEqual(orderKey(anEvent('network', 'create')), orderKey(anEvent('container', 'start')));
  });
});
