import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventFilter } from '../../../../../src/cluster/events/event-filter.ts';
import { Filters } from '../../../../../src/docker/filters.ts';
import type { DockerEvent } from '../../../../../src/docker/types.ts';

const started = event('container', 'start', 'abcdef', { name: 'web', image: 'busybox:1', tier: 'front' });
const health = event('container', 'health_status: healthy', 'abcdef', { name: 'web', image: 'busybox:1' });
const exec = event('container', 'exec_create: sh -c x', 'abcdef', { name: 'web', image: 'busybox:1' });
const pulled = event('image', 'pull', 'busybox:1', { name: 'busybox' });
const joined = event('network', 'connect', '123456', { name: 'net', container: 'abcdef' });
const lost = event('node', 'engine_disconnect', 'ID2', { name: 'node-2' }, 'node-2');

describe('eventFilter', () => {
  const cases: readonly (readonly [Readonly<Record<string, readonly string[]>>, readonly DockerEvent[]])[] = [
    [{}, [started, health, exec, pulled, joined, lost]],
    [{ type: ['container'] }, [started, health, exec]],
    [{ type: ['image', 'network'] }, [pulled, joined]],
    [{ event: ['start'] }, [started]],
    [{ event: ['health_status'] }, [health]],
    [{ event: ['health_status: healthy'] }, [health]],
    [{ event: ['health_status: unhealthy'] }, []],
    [{ event: ['exec_create'] }, [exec]],
    [{ event: ['star'] }, []],
    [{ container: ['web'] }, [started, health, exec]],
    [{ container: ['/web'] }, [started, health, exec]],
    [{ container: ['abc'] }, [started, health, exec]],
    [{ container: ['node-1/web'] }, [started, health, exec]],
    [{ container: ['node-2/web'] }, []],
    [{ container: ['nope', 'web'], event: ['start'] }, [started]],
    [{ network: ['net'] }, [joined]],
    [{ label: ['tier'] }, [started]],
    [{ label: ['tier=front', 'tier=back'] }, []],
    [{ image: ['busybox'] }, [started, health, exec, pulled]],
    [{ image: ['busybox:1'] }, [started, health, exec, pulled]],
    [{ image: ['busybox:2'] }, []],
    [{ node: ['node-1'] }, [started, health, exec, pulled, joined]],
    [{ node: ['node-2'] }, [lost]],
    [{ scope: ['swarm'] }, []],
    [{ nonsense: ['x'] }, [started, health, exec, pulled, joined, lost]],
  ];
  for (const [keys, expected] of cases) {
    it(`lets through what ${JSON.stringify(keys)} asks for`, () => {
      const accepts = eventFilter(new Filters(Object.entries(keys)));
      const through = [started, health, exec, pulled, joined, lost].filter(accepts);
      assert.deepEqual(through.map(nameOf), expected.map(nameOf));
    });
  }
});

function nameOf({ Type, Action }: DockerEvent): string {
  return `${Type} ${Action}`;
}

function event(
  type: string,
  action: string,
  id: string,
  attributes: Readonly<Record<string, string>>,
  node = 'node-1',
): DockerEvent {
  const marked = { ...attributes, 'node.name': node, 'node.id': `id of ${node}` };
  return { Type: type, Action: action, Actor: { ID: id, Attributes: marked }, scope: 'local', time: 1, timeNano: 1e9 };
}
