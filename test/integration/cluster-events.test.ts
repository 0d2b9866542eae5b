import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { Filters } from '../../src/docker/filters.ts';
import type { ClusterEvent } from '../../src/cluster/events/cluster-event.ts';
import { startConnectedCluster } from '../support/connected-cluster.ts';
import type { ConnectedCluster } from '../support/connected-cluster.ts';
import { until } from '../support/until.ts';

describe('events of the cluster', () => {
  let connected: ConnectedCluster | undefined;
  let abort = new AbortController();

  async function start(...args: Parameters<typeof startConnectedCluster>): Promise<ConnectedCluster> {
    connected = await startConnectedCluster(...args);
    abort = new AbortController();
    return connected;
  }

  afterEach(async () => {
    abort.abort();
    await connected?.stop();
    connected = undefined;
  });

  const containerEvents = new Filters([['type', ['container']]]);

  it('merges the live events of all engines and marks each with its node', async () => {
    const { cluster, simulated } = await start([{}, {}]);
    const subscription = cluster.events.subscribe({ filters: containerEvents, signal: abort.signal });
    for (const engine of simulated) engine.createDirectly({ name: `on-${engine.name}`, running: false });
    const events = await take(subscription, 2);
    assert.deepEqual(
      events.map(({ Action }) => Action),
      ['create', 'create'],
    );
    for (const event of events) {
      const attributes = event.Actor.Attributes ?? {};
      assert.equal(attributes['name'], `on-${event.node.Name}`);
      assert.equal(attributes['node.name'], event.node.Name);
      assert.equal(attributes['node.ip'], '127.0.0.1');
      assert.equal(attributes['node.addr'], event.node.Addr);
    }
    assert.deepEqual(new Set(events.map(({ node }) => node.Name)), new Set(['node-1', 'node-2']));
  });

  it('replays the past in the order of time, from before it knew the engines too', async () => {
    const seeded = [{ seedContainers: 0 }, {}];
    const { cluster, simulated, announce } = await start(seeded);
    await announce([]);
    for (const name of ['x1', 'x2', 'x3'])
      for (const engine of simulated) engine.createDirectly({ name, running: false });
    await announce(simulated);
    await until('all are seen', () => [...cluster.containers.all()].length === 6);
    simulated[0]!.createDirectly({ name: 'x4', running: false });
    await until('the last is seen', () => [...cluster.containers.all()].length === 7);
    const past = { sinceNs: 0n, untilNs: BigInt(Date.now() + 1) * 1_000_000n };
    const events: ClusterEvent[] = [];
    for await (const event of cluster.events.subscribe({ ...past, filters: containerEvents, signal: abort.signal })) {
      events.push(event);
    }
    assert.equal(events.length, 7);
    assert.equal(events.at(-1)?.Actor.Attributes?.['name'], 'x4');
    const times = events.map(({ timeNano }) => timeNano);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
  });

  it('goes from the past into the present without a gap and without a repetition', async () => {
    const { cluster, at } = await start([{}]);
    at().createDirectly({ name: 'before', running: false });
    await until('it is seen', () => cluster.containers.find('before') !== undefined);
    const subscription = cluster.events.subscribe({ sinceNs: 0n, filters: containerEvents, signal: abort.signal });
    at().createDirectly({ name: 'after', running: false });
    const events = await take(subscription, 2);
    assert.deepEqual(
      events.map(({ Actor }) => Actor.Attributes?.['name']),
      ['before', 'after'],
    );
  });

  it('tells of engines that are lost and found again', async () => {
    const { cluster, at } = await start([{}]);
    const filters = new Filters([['type', ['node']]]);
    const subscription = cluster.events.subscribe({ filters, signal: abort.signal });
    await at().faults.refuse();
    await until('it is lost', () => cluster.members.healthyEngines.length === 0);
    await at().faults.accept();
    await until('it is back', () => cluster.members.healthyEngines.length === 1);
    const events = await take(subscription, 2);
    assert.deepEqual(
      events.map(({ Action }) => Action),
      ['engine_disconnect', 'engine_reconnect'],
    );
    assert.equal(events[0]?.node.Name, 'node-1');
  });

  it('shows the effect of an event in lookups when the event is told', async () => {
    const { cluster, at } = await start([{}]);
    const subscription = cluster.events.subscribe({ filters: containerEvents, signal: abort.signal });
    const { id } = at().createDirectly({ name: 'web' });
    const seen: string[] = [];
    for await (const { Action } of subscription) {
      seen.push(`${Action} ${cluster.containers.find(id)?.record.name ?? 'absent'}`);
      if (Action === 'start') at().removeDirectly(id);
      if (Action === 'destroy') break;
    }
    assert.equal(seen[0], 'create web');
    assert.equal(seen.at(-1), 'destroy absent');
  });

  it('ends the stream when the client leaves and when the hub stops', async () => {
    const { cluster } = await start([{}]);
    const left = cluster.events.subscribe({ filters: new Filters(), signal: abort.signal });
    const leaving = take(left, 1);
    abort.abort();
    assert.deepEqual(await leaving, []);
    const open = take(cluster.events.subscribe({ filters: new Filters(), signal: new AbortController().signal }), 1);
    cluster.events.stop();
    assert.deepEqual(await open, []);
  });
});

async function take(events: AsyncIterable<ClusterEvent>, count: number): Promise<ClusterEvent[]> {
  const taken: ClusterEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}
