// The manager is killed at every point of a create, and nothing is lost or doubled: calls are held between it and the
// engines, and between it and Consul, and some go on when the next manager is at work already.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { StoppingProxy, type KnownNames } from '../support/crash/stopping-proxy.ts';
import { Stops, type Phase, type StopPlace } from '../support/crash/stops.ts';
import { elements, text } from '../support/document.ts';
import { httpCall, type HttpAnswer } from '../support/rig/http-call.ts';
import { bridgeAddress } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { RigAgent, RigManager } from '../support/rig/shoal-process.ts';
import { until } from '../support/until.ts';

interface Point {
  readonly title: string;
  readonly call: RegExp;
  readonly phase: Phase;
  /** What was held goes on once the next manager is asked again. */
  readonly isLate?: true;
}

const intent = /^PUT .*\/creates\//;
const create = /^POST \/containers\/create/;
const inspect = /^GET \/containers\/[0-9a-f]{64}\/json/;
const start = /^POST \/containers\/[^/]+\/start/;

/** One after the other, as the store hears of all creates at once. */
const pointsOfTheStore: readonly Point[] = [
  { title: 'before the store hears of it', call: intent, phase: 'asked' },
  { title: 'before the store hears of it, which it does later', call: intent, phase: 'asked', isLate: true },
  { title: 'when the store has it', call: intent, phase: 'answered' },
  { title: 'when the store has told the manager', call: intent, phase: 'told' },
];

/** Together: each is one of many creates that are at different points when the manager is killed. */
const pointsOfTheEngine: readonly Point[] = [
  { title: 'before the engine hears of it', call: create, phase: 'asked' },
  { title: 'in the midst of the request', call: create, phase: 'half asked' },
  { title: 'before the engine hears of it, which it does later', call: create, phase: 'asked', isLate: true },
  { title: 'when the engine has created it', call: create, phase: 'answered' },
  { title: 'in the midst of the answer', call: create, phase: 'half answered' },
  { title: 'when the engine has answered', call: create, phase: 'told' },
  { title: 'when the container is looked at', call: inspect, phase: 'asked' },
  { title: 'when the container was looked at', call: inspect, phase: 'answered' },
  { title: 'before the engine hears of the start', call: start, phase: 'asked' },
  { title: 'before the engine hears of the start, which it does later', call: start, phase: 'asked', isLate: true },
  { title: 'when the engine has started it', call: start, phase: 'answered' },
];

const pointOfTheEnd: Point = { title: 'when the store is to forget it', call: /^DELETE .*\/creates\//, phase: 'asked' };

const runs = Number(process.env['SHOAL_CREATE_CRASHES'] ?? 1);
const runLimitMs = 60_000;

describe('a manager that is killed in the midst of a create', () => {
  const stops = new Stops();
  const names: KnownNames = new Map();
  const proxies: StoppingProxy[] = [];
  let rig: Rig;
  let manager: RigManager;
  let agents: readonly RigAgent[] = [];
  let killed = 0;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5'], manager: 'none', consul: {} });
    const consul = await open(`http://${rig.consul.address}`);
    manager = new RigManager(rig.kind, `consul://${consul}/shoal`, {
      args: ['--cluster-opt', 'swarm.createdoubt=2s', '--heartbeat', '1s'],
    });
    agents = await Promise.all(
      rig.engines.map(async (engine) => {
        const through = await open(`http://${engine.address}`);
        return new RigAgent(engine, rig.consul.url, ['--advertise', through, '--engine', `tcp://${engine.address}`]);
      }),
    );
    await Promise.all([manager.start(), ...agents.map((agent) => agent.start())]);
    await manager.waitUntilHealthy(2);
  });

  after(async () => {
    await manager.kill().catch(() => undefined);
    await Promise.all(agents.map((agent) => agent.kill()));
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await rig.stop();
  });

  async function open(target: string): Promise<string> {
    const proxy = new StoppingProxy(target, stops, names);
    proxies.push(proxy);
    return await proxy.listen(bridgeAddress(rig.kind));
  }

  /** Ends the manager when each create is at its point, and resolves when every client has its container. */
  async function crashAt(points: readonly Point[]): Promise<void> {
    killed += 1;
    const clients = points.map((_, index) => new Client(manager, `crash-${killed}-${index}`, index % 2 === 0));
    const places = points.map(({ call, phase }, index): StopPlace => {
      return { call, phase, name: call === pointOfTheEnd.call ? undefined : clients[index]!.name };
    });
    const held = stops.arm(places);
    const made = clients.map((client) => client.make());
    const all = Promise.all(made);
    all.catch(() => undefined);
    await stops.allReached(15_000);
    await manager.kill();
    for (const [index, stop] of held.entries()) if (points[index]!.isLate !== true) stop.letGo('nowhere');
    await manager.start();
    const lateClients = clients.filter((_, index) => points[index]!.isLate);
    await until('the clients ask again', () => lateClients.every(({ asked }) => asked > 1));
    await delay(100);
    for (const stop of held) stop.letGo('on');
    await all;
    for (const client of clients) await assertOne(client);
  }

  async function assertOne({ name, key }: Client): Promise<void> {
    const lists = await Promise.all(rig.engines.map((engine) => engine.api('GET', '/containers/json?all=1')));
    const rows = lists.flatMap(({ json }) => elements(json));
    const named = rows.filter((row) => text(row, 'Names', 0) === `/${name}`);
    assert.deepEqual(
      named.map((row) => text(row, 'State')),
      ['running'],
      name,
    );
    const keyed = JSON.stringify(rows).split(`"${labelOfKey}":"${name}"`).length - 1;
    assert.equal(keyed, key === undefined ? 0 : 1, name);
  }

  for (const point of pointsOfTheStore) {
    it(`makes one container, ${point.title}`, async () => {
      for (let run = 0; run < runs; run += 1) await crashAt([point]);
    }).timeout(runs * runLimitMs);
  }

  it(`makes one container of each create, at ${pointsOfTheEngine.length} points on the way to the engine and back`, async () => {
    for (let run = 0; run < runs; run += 1) await crashAt(pointsOfTheEngine);
  }).timeout(runs * runLimitMs);

  it(`makes one container, ${pointOfTheEnd.title}`, async () => {
    for (let run = 0; run < runs; run += 1) await crashAt([pointOfTheEnd]);
  }).timeout(runs * runLimitMs);

  it('holds no name for ever', async () => {
    const rows = elements((await manager.api('GET', '/containers/json?all=1')).json);
    const taken = rows.map((row) => text(row, 'Names', 0).slice(1)).filter((name) => name.startsWith('crash-'));
    assert.ok(taken.length >= 16 * runs, `${taken.length} containers`);
    const inTurn = [...taken];
    const again = async (): Promise<void> => {
      for (let name = inTurn.pop(); name !== undefined; name = inTurn.pop()) {
        assert.equal((await manager.api('DELETE', `/containers/${name}?force=1`)).status, 204, name);
        const { status, text: answer } = await manager.api('POST', `/containers/create?name=${name}`, body);
        assert.equal(status, 201, `${name}: ${answer}`);
      }
    };
    await Promise.all([again(), again(), again(), again()]);
    await until('the store has forgotten all creates', async () => {
      const url = `http://${rig.consul.address}/v1/kv/shoal/state/creates/?keys`;
      return (await httpCall({ method: 'GET', url })).status === 404;
    });
  }).timeout(runs * runLimitMs);
});

const labelOfKey = 'com.docker.swarm.idempotency';
const body = { Image: 'busybox', Cmd: ['sleep', '600'], StopSignal: 'KILL' };

/** Wants one container of its name to run, and asks until it does. */
class Client {
  readonly name: string;
  readonly key: string | undefined;
  /** How often it has asked for the container to be created. */
  asked = 0;
  readonly #manager: RigManager;

  constructor(manager: RigManager, name: string, hasKey: boolean) {
    this.#manager = manager;
    this.name = name;
    this.key = hasKey ? name : undefined;
  }

  async make(): Promise<void> {
    await until(`${this.name} runs`, async () => (await this.#create()) && (await this.#start()), 60_000);
  }

  async #create(): Promise<boolean> {
    this.asked += 1;
    const labels = this.key === undefined ? {} : { Labels: { [labelOfKey]: this.key } };
    const answer = await this.#call('POST', `/containers/create?name=${this.name}`, { ...body, ...labels });
    if (answer === undefined || answer.status === 503) return false;
    if (answer.status === 201) return true;
    assert.deepEqual([answer.status, this.key], [409, undefined], `${this.name}: ${answer.text}`);
    return (await this.#call('GET', `/containers/${this.name}/json`))?.status === 200;
  }

  async #start(): Promise<boolean> {
    const answer = await this.#call('POST', `/containers/${this.name}/start`);
    if (answer === undefined || answer.status === 503) return false;
    assert.ok(answer.status === 204 || answer.status === 304, `${this.name}: ${answer.status} ${answer.text}`);
    return true;
  }

  /** Undefined when there is no answer. */
  async #call(method: string, path: string, sent?: object): Promise<HttpAnswer | undefined> {
    try {
      return await this.#manager.api(method, path, sent);
    } catch {
      return undefined;
    }
  }
}
