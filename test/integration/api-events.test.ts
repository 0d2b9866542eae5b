import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

interface Event {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly time: number;
  readonly node: { readonly Name: string };
}

/** A client that reads events until it has seen enough. */
class Listener {
  readonly lines: string[] = [];
  readonly #abort = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  /** Resolves when the manager has answered: what happens from now on is seen. */
  async open(url: string): Promise<void> {
    const response = await fetch(url, { signal: this.#abort.signal });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    this.#reading = this.#read(response);
  }

  get events(): readonly Event[] {
    return this.lines.map((line) => JSON.parse(line) as Event);
  }

  /** Resolves when the manager has ended the stream. */
  get ended(): Promise<void> {
    return this.#reading;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body ?? []) {
        const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        this.lines.push(...lines);
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
  }
}

describe('the stream of events', () => {
  let shoal: SimulatedCluster;
  const listeners: Listener[] = [];

  before(async () => {
    shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.41' }, { apiVersion: '1.51' }] });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
    for (const engine of shoal.engines) {
      for (const { id } of [...engine.containers.values()]) engine.removeDirectly(id);
    }
    await until('the cluster is empty', () => shoal.cluster.containers.newestFirst().flat().length === 0);
  });

  async function listen(query: Readonly<Record<string, string>> = {}, version = ''): Promise<Listener> {
    const listener = new Listener();
    listeners.push(listener);
    await listener.open(`${shoal.url}${version}/events?${new URLSearchParams(query).toString()}`);
    return listener;
  }

  function filters(values: object): Record<string, string> {
    return { filters: JSON.stringify(values) };
  }

  async function untilSeen(listener: Listener, action: string, name: string): Promise<void> {
    await until(`${action} of ${name} is seen`, () =>
      listener.events.some(({ Action, Actor }) => Action === action && Actor.Attributes['name'] === name),
    );
  }

  it('begins at once, however quiet the cluster is, and shows the events of every node with their node', async () => {
    const listener = await listen(filters({ type: ['container'] }));
    shoal.engine('node-1').createDirectly({ name: 'web-1' });
    shoal.engine('node-2').createDirectly({ name: 'web-2' });
    await untilSeen(listener, 'start', 'web-1');
    await untilSeen(listener, 'start', 'web-2');
    for (const { Actor, node } of listener.events) {
      assert.equal(node.Name, Actor.Attributes['name'] === 'web-1' ? 'node-1' : 'node-2');
      assert.equal(Actor.Attributes['node.name'], node.Name);
    }
  });

  for (const version of ['', '/v1.24', '/v1.41', '/v1.51']) {
    it(`has the fields of old clients for ${version === '' ? 'clients without version' : version}`, async () => {
      const listener = await listen(filters({ event: ['start'] }), version);
      for (const engine of shoal.engines) engine.createDirectly({ name: `web-${engine.name}` });
      await until('both are seen', () => listener.lines.length === 2);
      for (const { status, id, from, Actor } of listener.events) {
        assert.deepEqual([status, id, from], ['start', Actor.ID, 'busybox:latest']);
      }
    });
  }

  it('carries the nanoseconds of the engine to the last digit', async () => {
    const listener = await listen(filters({ container: ['web'] }));
    const url = `http://${shoal.engine('node-1').address}/events?since=0&until=${Math.ceil(Date.now() / 1000) + 1}`;
    shoal.engine('node-1').createDirectly({ name: 'web' });
    await untilSeen(listener, 'start', 'web');
    const ownLines = (await (await fetch(url)).text()).trim().split('\n');
    const nanoOf = (line: string): string | undefined => /"timeNano":(\d+)/.exec(line)?.[1];
    const own = new Set(ownLines.map(nanoOf));
    assert.ok(listener.lines.length >= 2);
    for (const line of listener.lines) assert.ok(own.has(nanoOf(line)), line);
  });

  it('keeps only what the filters ask for, in both of their forms, and ignores keys that it does not know', async () => {
    const cases = [
      { container: ['web-2'] },
      { container: { 'web-2': true } },
      { node: ['node-2'] },
      { container: ['node-2/web'] },
      { container: ['web'], node: ['node-2'], nope: ['x'] },
      { label: ['tier=db'] },
    ];
    const all = await listen();
    const some = await Promise.all(cases.map((values) => listen(filters({ type: ['container'], ...values }))));
    shoal.engine('node-1').createDirectly({ name: 'web-1', labels: { tier: 'web' } });
    shoal.engine('node-2').createDirectly({ name: 'web-2', labels: { tier: 'db' } });
    for (const listener of [all, ...some]) await untilSeen(listener, 'start', 'web-2');
    await untilSeen(all, 'start', 'web-1');
    for (const [index, listener] of some.entries()) {
      const seen = new Set(listener.events.map(({ Actor }) => Actor.Attributes['name']));
      assert.deepEqual([...seen], ['web-2'], JSON.stringify(cases[index]));
    }
  });

  it('tells the past of all nodes in the order of its times, and ends at until', async () => {
    const live = await listen(filters({ event: ['start'] }));
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
      shoal.engines[index % 2]?.createDirectly({ name: `past-${name}` });
      await untilSeen(live, 'start', `past-${name}`);
    }
    const until_ = String(Math.floor(Date.now() / 1000) + 1);
    const since = String((live.events[0]?.time ?? 0) - 1);
    const past = await listen({ since, until: until_, ...filters({ event: ['start'], container: ['past-'] }) });
    await past.ended;
    assert.deepEqual(
      past.events.map(({ Actor }) => Actor.Attributes['name']),
      ['past-a', 'past-b', 'past-c', 'past-d'],
    );
    const everything = await listen({ since: '0', until: until_, ...filters({ container: ['past-'] }) });
    await everything.ended;
    assert.ok(everything.lines.length >= past.lines.length);
  });

  for (const [query, what] of [
    ['since=10m', 'a since that is no time'],
    ['until=2026-01-01', 'an until that is no time'],
    ['since=20&until=10', 'an until before since'],
    ['filters=%7B', 'broken filters'],
    ['filters=%7B%22type%22%3A5%7D', 'filters of another form'],
  ] as const) {
    it(`refuses ${what} before it begins`, async () => {
      const answer = await shoal.api.get(`/events?${query}`).expect(400);
      assert.ok((answer.body as { readonly message: string }).message.length > 0);
    });
  }
});
