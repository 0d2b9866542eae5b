import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { moveGroups, type NeighbourFacts } from '../../../../../src/cluster/reschedule/groups.ts';
import type { KeptContainer } from '../../../../../src/cluster/reschedule/kept-container.ts';
import { formatKept, parseKept } from '../../../../../src/cluster/reschedule/kept-container.ts';
import { aKeptContainer } from './a-kept-container.ts';

function kept(name: string, host: object = {}): KeptContainer {
  const body = { Image: 'busybox', HostConfig: host };
  return aKeptContainer({ swarmId: `swarm-${name}`, name, containerId: `${name}0000`, body });
}

function neighbour(name: string, networkMode = 'bridge'): NeighbourFacts {
  return { id: `${name}0000`, name, networkMode, isActive: true };
}

const app = kept('app');
const proxy = kept('proxy', { NetworkMode: 'container:app0000' });
const logs = kept('logs', { VolumesFrom: ['app:ro'] });
const other = kept('other');

describe('containers that must move together', () => {
  const cases: readonly {
    readonly title: string;
    readonly kept: readonly KeptContainer[];
    readonly neighbours?: readonly NeighbourFacts[];
    readonly staying?: string;
    readonly expected: readonly (readonly [string, string | undefined])[];
  }[] = [
    {
      title: 'are those that share a network or volumes, the needed ones first',
      kept: [logs, other, proxy, app],
      expected: [
        ['app logs proxy', undefined],
        ['other', undefined],
      ],
    },
    {
      title: 'stay when one of them must stay',
      kept: [app, proxy],
      staying: 'app',
      expected: [['app proxy', 'it belongs with app: data']],
    },
    { title: 'have a reason of their own when alone', kept: [app], staying: 'app', expected: [['app', 'data']] },
    {
      title: 'stay when they need one that nobody asked to move',
      kept: [proxy],
      neighbours: [neighbour('app'), neighbour('proxy', 'container:app0000')],
      expected: [['proxy', 'it belongs with app, which stays']],
    },
    {
      title: 'stay when one that nobody asked to move uses their network',
      kept: [app],
      neighbours: [neighbour('app'), neighbour('proxy', 'container:app0000')],
      expected: [['app', 'proxy, which stays, uses its network']],
    },
    {
      title: 'are found though they need each other',
      kept: [kept('a', { IpcMode: 'container:b' }), kept('b', { VolumesFrom: ['a'] })],
      expected: [['b a', undefined]],
    },
  ];
  for (const { title, kept: given, neighbours = [], staying, expected } of cases) {
    it(title, () => {
      const groups = moveGroups(given, neighbours, ({ name }) => (name === staying ? 'data' : undefined));
      assert.deepEqual(
        groups.map(({ members, obstacle }) => [members.map(({ name }) => name).join(' '), obstacle]),
        expected,
      );
    });
  }
});

describe('what is kept of a container', () => {
  it('is the same when it is read again', () => {
    const whole: KeptContainer = {
      ...proxy,
      endedAtMs: 12,
      localVolumes: ['data'],
      localData: ['volume data'],
      plan: { reason: 'drain', generation: 3 },
      former: [{ containerId: 'x', node: app.node }],
    };
    assert.deepEqual(parseKept(formatKept(whole)), whole);
    assert.deepEqual(parseKept(formatKept(app)), app);
  });

  it('is nothing where the text is something else', () => {
    for (const text of ['', '{', '[]', '{"swarmId":"x"}', '{"body":{}}']) assert.equal(parseKept(text), undefined);
  });
});
