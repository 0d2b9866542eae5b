import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { startSimulatedCluster, type SimulatedCluster } from '../support/simulated-cluster.ts';
import { SwarmMembers } from '../support/simulated-engine/swarm-members.ts';
import { until } from '../support/until.ts';

const quick = { lookMs: 20, settleMs: 50, stuckMs: 100, lostMs: 100, restMs: 50 };

describe('a cluster that keeps its engines in one swarm', () => {
  let simulated: SimulatedCluster | undefined;
  let swarms: SwarmMembers;

  afterEach(async () => {
    await simulated?.stop();
  });

  async function start(count: number, apiVersion = '1.41'): Promise<SimulatedCluster> {
    swarms = new SwarmMembers();
    const engines = Array.from({ length: count }, () => ({ swarms, apiVersion }));
    simulated = await startSimulatedCluster({ engines, cluster: { networks: 'overlay', swarmTimings: quick } });
    return simulated;
  }

  const standing = (): string => simulated?.cluster.networkReach.describe() ?? '';
  const roles = (...names: readonly string[]): (string | undefined)[] =>
    names.map((name) => {
      const member = swarms.of(name);
      return member && `${member.swarmId} ${member.isManager ? 'manager' : 'worker'}`;
    });

  it('forms one swarm of all, with three managers', async () => {
    await start(4);
    await until('all are members', () => standing().startsWith('overlay over 4 of 4 nodes, 3 of them managers'));

    const all = roles('node-1', 'node-2', 'node-3', 'node-4').sort();
    assert.deepEqual(all, ['swarm1 manager', 'swarm1 manager', 'swarm1 manager', 'swarm1 worker']);
  });

  it('makes networks of it, and a create waits for it', async () => {
    const { api } = await start(2);
    const created = await api.post('/networks/create').send({ Name: 'wide', Driver: 'bridge' }).expect(201);
    assert.equal((created.body as { Warning: string }).Warning, '');
    const body: unknown = (await api.get('/networks/wide').expect(200)).body;
    const { Driver, Attachable } = body as { Driver: string; Attachable: boolean };
    assert.deepEqual({ Driver, Attachable }, { Driver: 'overlay', Attachable: true });
  });

  it('leaves the members of another swarm where they are, and says so', async () => {
    swarms = new SwarmMembers();
    swarms.form('node-1', 'x');
    swarms.join('node-2', 'y', { swarmId: 'swarm1', isManager: false });
    swarms.form('node-3', 'z');
    const engines = Array.from({ length: 4 }, () => ({ swarms }));
    simulated = await startSimulatedCluster({ engines, cluster: { networks: 'overlay', swarmTimings: quick } });
    await until('the newcomer is in', () => swarms.of('node-4')?.swarmId === 'swarm1');

    assert.equal(swarms.of('node-3')?.swarmId, 'swarm2');
    const body: unknown = (await simulated.api.get('/info').expect(200)).body;
    const warnings = (body as { Warnings: string[] }).Warnings;
    assert.ok(
      warnings.some((text) => /node node-3 .*another swarm, swarm2/.test(text)),
      warnings.join(),
    );
  });

  it('forms none as long as an engine has not said that it is in none', async () => {
    swarms = new SwarmMembers();
    const engines = Array.from({ length: 3 }, () => ({ swarms }));
    simulated = await startSimulatedCluster({
      engines,
      announced: false,
      cluster: { networks: 'overlay', swarmTimings: quick },
    });
    const [one, two, three] = simulated.engines;
    await three!.faults.refuse();
    simulated.announce([one!, two!, three!]);
    await until('it is waited for', () => standing().includes('might be in one already'));
    assert.deepEqual(roles('node-1', 'node-2'), [undefined, undefined]);

    await three!.faults.accept();
    await until('all are members', () => standing().startsWith('overlay over 3 of 3'));
  });

  it('replaces a manager that is lost, and keeps it as a worker for its return', async () => {
    await start(4, '1.51');
    await until('all are members', () => standing().startsWith('overlay over 4 of 4 nodes, 3 of them managers'));
    const lost = ['node-1', 'node-2', 'node-3', 'node-4'].find((name) => swarms.of(name)?.isManager)!;
    swarms.lost.add(lost);
    await simulated!.engine(lost).faults.refuse();

    await until('it is demoted', () => swarms.of(lost)?.isManager === false);
    const others = ['node-1', 'node-2', 'node-3', 'node-4'].filter((name) => name !== lost);
    assert.deepEqual(roles(...others), ['swarm1 manager', 'swarm1 manager', 'swarm1 manager']);
  });

  it('takes back an engine that has left', async () => {
    await start(2, '1.51');
    await until('all are members', () => standing().startsWith('overlay over 2 of 2'));
    const worker = ['node-1', 'node-2'].find((name) => swarms.of(name)?.isManager === false)!;
    swarms.leave(worker);
    await until('it is back', () => swarms.of(worker) !== undefined);
  });
});
