import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { findSwarms, Swarms } from '../../../../../src/cluster/swarm/swarms.ts';
import { aStranger, aSwarmManager, aSwarmWorker, anOutsider } from './a-swarm-engine.ts';

describe('the swarms of engines', () => {
  const cases = [
    {
      title: 'a manager and its workers',
      engines: [aSwarmManager('a'), aSwarmWorker('b', 'a'), aSwarmWorker('c', 'a')],
      expected: [['s1', 'a b c', 'a']],
    },
    {
      title: 'two managers of one swarm',
      engines: [aSwarmManager('a'), aSwarmManager('b')],
      expected: [['s1', 'a b', 'a b']],
    },
    {
      title: 'managers of two swarms, the larger one first',
      engines: [aSwarmManager('a', 's1'), aSwarmManager('b', 's2'), aSwarmWorker('c', 'b')],
      expected: [
        ['s2', 'b c', 'b'],
        ['s1', 'a', 'a'],
      ],
    },
    {
      title: 'members that do not answer, as they last were',
      engines: [aSwarmManager('a', 's1', 'unhealthy'), aSwarmWorker('b', 'a', 'unhealthy')],
      expected: [['s1', 'a b', 'a']],
    },
    {
      title: 'workers whose manager is a stranger',
      engines: [aSwarmWorker('a', 'x'), aSwarmWorker('b', 'x'), aSwarmWorker('c', 'y')],
      expected: [
        ['', 'a b', ''],
        ['', 'c', ''],
      ],
    },
    { title: 'engines outside', engines: [anOutsider('a'), anOutsider('b', 'pending'), aStranger('c')], expected: [] },
  ];
  for (const { title, engines, expected } of cases) {
    it(`are found of ${title}`, () => {
      const names = (some: readonly { readonly name: string }[]): string => some.map(({ name }) => name).join(' ');
      assert.deepEqual(
        findSwarms(engines).map(({ id, members, managers }) => [id, names(members), names(managers)]),
        expected,
      );
    });
  }

  it('are looked for anew only when something has changed', () => {
    const [manager, worker] = [aSwarmManager('a'), aSwarmWorker('b', 'a')];
    let engines = [manager];
    const swarms = new Swarms(() => engines);
    assert.equal(swarms.of(worker), undefined);
    engines = [manager, worker];
    assert.equal(swarms.of(worker), undefined);
    swarms.forget();
    assert.equal(swarms.of(worker), swarms.of(manager));
    assert.notEqual(swarms.of(worker), undefined);
  });
});
