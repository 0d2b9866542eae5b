// Who is a member when the store has forgotten engines that nobody withdrew.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const hourMs = 60 * 60 * 1000;

describe('engines that the store has forgotten', () => {
  let shoal: SimulatedCluster;

  beforeEach(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
  });

  afterEach(async () => {
    await shoal.stop();
  });

  function forget(...names: readonly string[]): void {
    shoal.announce(
      shoal.engines.map(({ name, address }) => {
        const missing = names.includes(name);
        return { address, missing, alive: !missing };
      }),
    );
  }

  /** Stops it and resolves when the manager has noticed. */
  async function lose(name: string): Promise<void> {
    await shoal.engine(name).faults.refuse();
    await until(`${name} is unhealthy`, () =>
      shoal.cluster.members.healthyEngines.every((engine) => engine.name !== name),
    );
  }

  function members(): readonly string[] {
    return shoal.cluster.members.engines.map(({ name }) => name).sort();
  }

  it('stay as long as they answer, and serve as before', async () => {
    const id = await shoal.run({ name: 'web' });
    forget('node-1', 'node-2', 'node-3');
    await until('the agents are missed', () => shoal.cluster.members.engines.every((engine) => !engine.isVouchedFor));

    shoal.cluster.membership.forgetLost('answers', Date.now() + 48 * hourMs);

    assert.deepEqual(members(), ['node-1', 'node-2', 'node-3']);
    await shoal.api.get(`/containers/${id}/json`).expect(200);
    await shoal.run({ name: 'next' });
    const { text } = await shoal.api.get('/info');
    assert.match(text, /answers, but its agent is silent/);
  });

  it('are lost when they do not answer either, for an hour, and come back when they are announced', async () => {
    await lose('node-2');
    forget('node-2');
    await until('the agent is missed', () => shoal.cluster.members.engines.some((engine) => !engine.isVouchedFor));

    shoal.cluster.membership.forgetLost('answers', Date.now() + hourMs / 2);
    assert.equal(members().length, 3);
    shoal.cluster.membership.forgetLost('answers', Date.now() + 2 * hourMs);
    assert.deepEqual(members(), ['node-1', 'node-3']);

    forget('node-2');
    await shoal.engine('node-2').faults.accept();
    shoal.announce(shoal.engines);
    await until('it is a member again', () => members().length === 3);
  });

  it('are not lost while the store is silent, nor when most are lost at once', async () => {
    await lose('node-2');
    forget('node-2');
    await until('the agent is missed', () => shoal.cluster.members.engines.some((engine) => !engine.isVouchedFor));
    shoal.cluster.membership.forgetLost('silent', Date.now() + 2 * hourMs);
    shoal.cluster.membership.forgetLost('answers', Date.now() + 2.5 * hourMs);
    assert.equal(members().length, 3);

    await lose('node-3');
    forget('node-2', 'node-3');
    await until(
      'both are missed',
      () => shoal.cluster.members.engines.filter((each) => !each.isVouchedFor).length === 2,
    );
    shoal.cluster.membership.forgetLost('answers', Date.now() + 48 * hourMs);
    assert.equal(members().length, 3);
  });

  it('are no members to a manager that has never seen them announced', async () => {
    shoal.announce([...shoal.engines, { address: '127.0.0.1:1', alive: false, missing: true }]);
    shoal.announce([...shoal.engines, { address: '127.0.0.1:1', alive: false, missing: true }].slice(1));
    await until('the first has left', () => shoal.cluster.members.engines.length === 2);
    assert.deepEqual(members(), ['node-2', 'node-3']);
  });
});
