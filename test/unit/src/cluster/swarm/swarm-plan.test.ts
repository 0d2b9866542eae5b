import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { planSwarm, wantedManagers } from '../../../../../src/cluster/swarm/swarm-plan.ts';
import type { SwarmNode, SwarmSituation } from '../../../../../src/cluster/swarm/swarm-plan.ts';
import { aStranger, aSwarmManager, aSwarmWorker, anOutsider } from './a-swarm-engine.ts';
import type { SwarmEngine } from './a-swarm-engine.ts';

interface Case extends Partial<Omit<SwarmSituation<SwarmEngine>, 'stuck' | 'resting' | 'lost' | 'nameOf'>> {
  readonly title: string;
  readonly engines: readonly SwarmEngine[];
  /** Names. */
  readonly stuck?: readonly string[];
  readonly resting?: readonly string[];
  readonly lost?: readonly string[];
  /** "join b as worker" */
  readonly steps: readonly string[];
  readonly waiting?: RegExp;
  readonly notes?: Readonly<Record<string, RegExp>>;
}

const node = (name: string, role: 'manager' | 'worker', isReachable = true): SwarmNode => ({
  id: `id-${name}`,
  isManager: role === 'manager',
  isReachable,
});

const outsiders = (names: string): SwarmEngine[] => names.split(' ').map((name) => anOutsider(name));

describe('the plan of a swarm', () => {
  const cases: readonly Case[] = [
    { title: 'forms one on the first engine', engines: outsiders('a b c'), steps: ['form a'], waiting: /being formed/ },
    {
      title: 'forms none before the membership has settled',
      engines: outsiders('a b'),
      isSettled: false,
      steps: [],
      waiting: /announcing/,
    },
    {
      title: 'forms none while an engine has never answered, for it may be in one',
      engines: [...outsiders('a b'), aStranger('c')],
      steps: [],
      waiting: /^c might be in one/,
    },
    {
      title: 'forms none beside workers of a swarm that is not known',
      engines: [...outsiders('a b'), aSwarmWorker('c', 'x')],
      steps: [],
      waiting: /^c is in one already/,
      notes: { c: /managers are not known/ },
    },
    {
      title: 'waits for the manager of the swarm when it does not answer',
      engines: [...outsiders('b'), aSwarmManager('a', 's1', 'unhealthy')],
      steps: [],
    },
    {
      title: 'forms none on engines that do not answer',
      engines: [anOutsider('a', 'inactive', 'unhealthy')],
      steps: [],
    },
    {
      title: 'adds a second engine as a worker',
      engines: [aSwarmManager('a'), ...outsiders('b')],
      steps: ['join b as worker'],
    },
    {
      title: 'makes three engines managers at once',
      engines: [aSwarmManager('a'), ...outsiders('b c d')],
      steps: ['join b as manager', 'join c as manager', 'join d as worker'],
    },
    {
      title: 'lets an engine rest that could not join',
      engines: [aSwarmManager('a'), ...outsiders('b c')],
      resting: ['b'],
      steps: ['join c as worker'],
    },
    {
      title: 'ends a join that has not come through',
      engines: [aSwarmManager('a'), anOutsider('b', 'pending')],
      stuck: ['b'],
      steps: ['leave b'],
    },
    {
      title: 'leaves a join that is under way alone',
      engines: [aSwarmManager('a'), anOutsider('b', 'pending')],
      steps: [],
    },
    {
      title: 'takes nobody out of another swarm',
      engines: [aSwarmManager('a'), aSwarmWorker('b', 'a'), aSwarmManager('c', 's2')],
      steps: [],
      notes: { c: /member of another swarm, s2/ },
    },
    {
      title: 'makes a worker a manager when there are too few',
      engines: [aSwarmManager('a'), aSwarmWorker('b', 'a'), aSwarmWorker('c', 'a')],
      nodes: [node('a', 'manager'), node('b', 'worker'), node('c', 'worker')],
      steps: ['promote id-b'],
    },
    {
      title: 'waits for a manager that was not lost for long',
      engines: [aSwarmManager('a'), aSwarmManager('b'), aSwarmManager('c', 's1', 'unhealthy'), aSwarmWorker('d', 'a')],
      nodes: [node('a', 'manager'), node('b', 'manager'), node('c', 'manager', false), node('d', 'worker')],
      steps: [],
    },
    {
      title: 'replaces a manager that is lost',
      engines: [aSwarmManager('a'), aSwarmManager('b'), aSwarmManager('c', 's1', 'unhealthy'), aSwarmWorker('d', 'a')],
      nodes: [node('a', 'manager'), node('b', 'manager'), node('c', 'manager', false), node('d', 'worker')],
      lost: ['id-c'],
      steps: ['promote id-d'],
    },
    {
      title: 'demotes a lost manager once it is replaced',
      engines: [aSwarmManager('a'), aSwarmManager('b'), aSwarmManager('c', 's1', 'unhealthy'), aSwarmManager('d')],
      nodes: [node('a', 'manager'), node('b', 'manager'), node('c', 'manager', false), node('d', 'manager')],
      lost: ['id-c'],
      steps: ['demote id-c'],
    },
    {
      title: 'keeps a lost manager that nobody can replace',
      engines: [aSwarmManager('a'), aSwarmManager('b'), aSwarmManager('c', 's1', 'unhealthy')],
      nodes: [node('a', 'manager'), node('b', 'manager'), node('c', 'manager', false)],
      lost: ['id-c'],
      steps: [],
    },
    {
      title: 'makes no manager of a worker that does not answer',
      engines: [aSwarmManager('a'), aSwarmWorker('b', 'a', 'unhealthy'), aSwarmWorker('c', 'a', 'unhealthy')],
      nodes: [node('a', 'manager'), node('b', 'worker'), node('c', 'worker')],
      steps: [],
    },
  ];
  for (const { title, engines, stuck = [], resting = [], lost = [], steps, waiting, notes = {}, ...rest } of cases) {
    it(title, () => {
      const named = (names: readonly string[]): Set<SwarmEngine> =>
        new Set(engines.filter(({ name }) => names.includes(name)));
      const plan = planSwarm({
        isSettled: true,
        nodes: [],
        ...rest,
        engines,
        nameOf: ({ name }) => name,
        stuck: named(stuck),
        resting: named(resting),
        lost: new Set(lost),
      });
      assert.deepEqual(
        plan.steps.map((step) => {
          if ('nodeId' in step) return `${step.kind} ${step.nodeId}`;
          return step.kind === 'join' ? `join ${step.engine.name} as ${step.role}` : `${step.kind} ${step.engine.name}`;
        }),
        steps,
      );
      if (waiting !== undefined) assert.match(plan.waiting, waiting);
      assert.deepEqual(
        [...plan.notes.keys()].map(({ name }) => name),
        Object.keys(notes),
      );
      for (const [engine, note] of plan.notes) assert.match(note, notes[engine.name] ?? /^$/);
    });
  }

  it('wants an odd number of managers, up to five', () => {
    assert.deepEqual([1, 2, 3, 6, 7, 100].map(wantedManagers), [1, 1, 3, 3, 5, 5]);
  });
});
