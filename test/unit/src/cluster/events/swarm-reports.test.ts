import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ClusterEvent } from '../../../../../src/cluster/events/cluster-event.ts';
import { SwarmReports } from '../../../../../src/cluster/events/swarm-reports.ts';

interface Report {
  readonly from: string;
  readonly what: string;
  readonly atS: number;
  readonly scope?: string;
}

function eventOf({ from, what, atS, scope = 'swarm' }: Report): ClusterEvent {
  const attributes = { name: 'net', 'node.name': from, 'node.id': from };
  const Actor = { ID: 'n1', Attributes: attributes };
  const node = { Name: from, Id: from, Addr: `${from}:2375`, Ip: from };
  return { Type: 'network', Action: what, Actor, scope, time: atS, timeNano: atS * 1e9, node };
}

const table: readonly { readonly title: string; readonly reports: readonly Report[]; readonly told: string }[] = [
  {
    title: 'one event that three managers report at slightly different times is told once',
    reports: ['a', 'b', 'c'].map((from, index) => ({ from, what: 'remove', atS: 10 + index / 1000 })),
    told: 'a remove',
  },
  {
    title: 'what one manager reports twice happened twice, in whatever order the others follow',
    reports: ['a', 'a', 'b', 'b'].map((from) => ({ from, what: 'update', atS: 10 })),
    told: 'a update, a update',
  },
  {
    title: 'the next manager tells what the lost one did not',
    reports: [
      { from: 'a', what: 'update', atS: 10 },
      { from: 'b', what: 'update', atS: 10 },
      { from: 'b', what: 'update', atS: 11 },
    ],
    told: 'a update, b update',
  },
  {
    title: 'a manager that missed an event long ago is heard all the same',
    reports: [
      { from: 'a', what: 'update', atS: 10 },
      { from: 'b', what: 'update', atS: 60 },
    ],
    told: 'a update, b update',
  },
  {
    title: 'different events of one network are all told',
    reports: [
      { from: 'a', what: 'create', atS: 10 },
      { from: 'b', what: 'update', atS: 10 },
    ],
    told: 'a create, b update',
  },
  {
    title: "each node's own events are its own",
    reports: ['a', 'b'].map((from) => ({ from, what: 'create', atS: 10, scope: 'local' })),
    told: 'a create, b create',
  },
];

describe('reports of a swarm', () => {
  for (const { title, reports, told } of table) {
    it(title, () => {
      const seen = new SwarmReports();
      const events = reports.map(eventOf).filter((event) => !seen.isRepeated(event));
      assert.equal(events.map(({ node, Action }) => `${node.Name} ${Action}`).join(', '), told);
    });
  }

  it('are remembered in bounded number', () => {
    const seen = new SwarmReports();
    const event = eventOf({ from: 'a', what: 'create', atS: 10 });
    for (let index = 0; index < 1_000; index += 1)
      seen.isRepeated({ ...event, Actor: { ...event.Actor, ID: `other-${index}` } });
    assert.equal(seen.isRepeated({ ...eventOf({ from: 'b', what: 'create', atS: 10 }) }), false);
  });
});
