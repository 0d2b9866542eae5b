// One contract for every store, against three real servers of each: what it says of engines, and what no fault of it may
// make managers believe. SHOAL_STORES=1 adds the faults and the measures that take long.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, afterEach, before, describe, it } from 'mocha';
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import { Election } from '../../discovery/election.ts';
import { openDiscovery, openLeaderStore } from '../../discovery/index.ts';
import type { LeaderRead, LeaderStore, LeaderText } from '../../discovery/leadership.ts';
import { openState } from '../../discovery/open-state.ts';
import { StateConflict, type StateStore } from '../../discovery/state-store.ts';
import { Agent } from '../../src/agent/agent.ts';
import { TaskSet } from '../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { MembershipWatcher } from '../support/membership-watcher.ts';
import { CertificateAuthority, type Identity } from '../support/rig/certificates.ts';
import { announceClassically, invalidate } from '../support/rig/classic-announcement.ts';
import { Clients } from '../support/rig/clients.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { bridgeAddress, nodeAddress } from '../support/rig/rig-kind.ts';
import { startRig } from '../support/rig/rig.ts';
import type { Rig } from '../support/rig/rig.ts';
import { RigManager } from '../support/rig/shoal-process.ts';
import { storeNeeds, StoreServers, type StoreName, type StoreServer } from '../support/rig/store-servers.ts';
import { SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
const never = new AbortController().signal;
setMaxListeners(0, never);
const [a, b] = ['10.0.0.1:2375', '10.0.0.2:2375'];
const longTtlMs = 60_000;
/** Shorter than Consul waits until it answers all the same, and tells all engines. */
const quietMs = 30_000;
/** Until watchers have read all that was new. */
const settleMs = 5_000;
const names: readonly StoreName[] = ['consul', 'etcd', 'zookeeper'];
const allOfIt = process.env['SHOAL_STORES'] === '1';

interface Fault {
  readonly title: string;
  /** Happens to the server that is asked first, which is the leader. */
  readonly make: (store: StoreServers, leader: StoreServer) => Promise<void>;
  readonly isQuick?: true;
}

const faults: readonly Fault[] = [
  {
    title: 'its leader is killed',
    make: async (_store, leader) => {
      await leader.kill();
    },
    isQuick: true,
  },
  {
    title: 'its leader is paused',
    make: (_store, leader) => {
      leader.freeze();
      return Promise.resolve();
    },
  },
  {
    title: 'everything in it is lost',
    make: async (store) => {
      await store.wipe();
    },
    isQuick: true,
  },
  {
    title: 'its leader is cut off',
    make: async (_store, leader) => {
      await leader.cutOff();
    },
  },
  {
    title: 'two of three servers are gone for a while',
    make: async (store) => {
      await Promise.all(store.servers.slice(0, 2).map((server) => server.kill()));
      await delay(5_000);
      await store.startAll();
    },
  },
];

describe('engines in every store', () => {
  let rig: Rig;
  let stores: readonly StoreServers[];
  /** etcd and ZooKeeper behind TLS. */
  let secured: readonly StoreServers[];
  let identity: Identity;
  const watchers: MembershipWatcher[] = [];
  const agents: Agent[] = [];
  const elections: Election[] = [];
  let tasks = new TaskSet(logger);
  let folder: string;

  before(async () => {
    rig = await startRig({ engines: [], manager: 'none', needs: storeNeeds });
    folder = await mkdtemp(join(tmpdir(), 'shoal-stores-'));
    const authority = await CertificateAuthority.create(folder, 'stores');
    identity = await authority.issue('store', { addresses: [10, 11].map((number) => nodeAddress(rig.kind, number)) });
    const starting = (['etcd', 'zookeeper'] as const).map((name, index) =>
      StoreServers.start(rig.kind, name, { count: 1, firstMachine: 10 + index, tls: identity }),
    );
    stores = await Promise.all(
      names.map((name, index) => StoreServers.start(rig.kind, name, { count: 3, firstMachine: 3 * index + 1 })),
    );
    secured = await Promise.all(starting);
  });

  after(async () => {
    await Promise.all([...stores, ...secured].map((store) => store.stop()));
    await rig.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Of a test that failed, too. */
  afterEach(async () => {
    await Promise.all(
      [...watchers.splice(0), ...agents.splice(0), ...elections.splice(0), tasks].map((each) => each.stop()),
    );
    tasks = new TaskSet(logger);
  });

  /** The stores do not wait for each other, so that a test takes as long as its slowest. */
  async function inEach(work: (store: StoreServers) => Promise<void>): Promise<void> {
    const results = await Promise.allSettled(stores.map(work));
    const failures = results.flatMap((result, index) =>
      result.status === 'rejected' ? [`${String(names[index])}: ${String(result.reason)}`] : [],
    );
    assert.deepEqual(failures, []);
  }

  function open(uri: string): DiscoveryBackend {
    return openDiscovery(uri, { role: 'agent', logger });
  }

  function watch(backend: DiscoveryBackend): MembershipWatcher {
    const watcher = new MembershipWatcher(backend);
    watchers.push(watcher);
    return watcher;
  }

  function agentOf(address: string, uri: string): Agent {
    const probe = (): Promise<void> => Promise.resolve();
    const times = { heartbeatMs: 1_000, ttlMs: 5_000, delayMs: 0 };
    const agent = new Agent({ address, backend: open(uri), probe, ...times, logger });
    agents.push(agent);
    return agent;
  }

  it('appear, change, lapse, are withdrawn and come back', async () => {
    await inEach(async (store) => {
      const uri = store.uri('plain');
      const agent = open(uri);
      const seen = watch(open(uri));
      await seen.shows('');
      await agent.register({ address: a, alive: true }, longTtlMs, never);
      await seen.shows(`${a}+`);
      await agent.register({ address: b, alive: true, facts: '{"disk":7}' }, 1_500, never);
      await seen.shows(`${a}+ ${b}+{"disk":7}`);
      await seen.shows(`${a}+ ${b}-{"disk":7}`);
      await agent.register({ address: b, alive: true, facts: '{"disk":8}' }, longTtlMs, never);
      await seen.shows(`${a}+ ${b}+{"disk":8}`);
      await agent.register({ address: b, alive: false, facts: '{"disk":8}' }, longTtlMs, never);
      await seen.shows(`${a}+ ${b}-{"disk":8}`);
      await agent.deregister({ address: b, alive: false }, never);
      await seen.shows(`${a}+`);
      await agent.register({ address: b, alive: true }, longTtlMs, never);
      await seen.shows(`${a}+ ${b}+`);
      const late = watch(open(uri));
      await late.shows(`${a}+ ${b}+`);
      for (const address of [a, b]) await agent.deregister({ address, alive: false }, never);
      await seen.shows('');
    });
  });

  it("are seen where classicswarm's agents announce them, and stay when those die", async () => {
    await inEach(async (store) => {
      const seen = watch(open(store.uri('classic')));
      await seen.shows('');
      const die = await announceClassically(store, 'classic', a);
      await seen.shows(`${a}+`);
      await die();
      await seen.shows(`${a}-`);
    });
  });

  it('stay when their announcement is taken out of the store, and are alive again with the next', async () => {
    await inEach(async (store) => {
      const uri = store.uri('invalid');
      const agent = open(uri);
      const seen = watch(open(uri));
      await agent.register({ address: a, alive: true }, longTtlMs, never);
      await seen.shows(`${a}+`);
      await invalidate(store, 'invalid', a);
      await seen.shows(`${a}-`);
      await until('it is announced again', () =>
        agent.register({ address: a, alive: true }, longTtlMs, never).then(
          () => true,
          () => false,
        ),
      );
      await seen.shows(`${a}+`);
      await agent.deregister({ address: a, alive: true }, never);
    });
  });

  it('are reached by TLS, with a certificate, and by a user with a password', async () => {
    const [etcd, zookeeper] = secured;
    const files = { 'kv.cacertfile': identity.ca, 'kv.certfile': identity.cert, 'kv.keyfile': identity.key };
    const secureCall = async (path: string, body: object): Promise<void> => {
      const url = `https://${String(etcd?.servers[0]?.address)}/v3/auth/${path}`;
      const { status, text } = await httpCall({ method: 'POST', url, tls: identity, body, timeoutMs: 10_000 });
      assert.equal(status, 200, text);
    };
    await secureCall('user/add', { name: 'root', password: 'secret' });
    await secureCall('user/grant', { user: 'root', role: 'root' });
    await secureCall('enable', {});
    const authority = { 'kv.cacertfile': identity.ca };
    const right = { 'etcd.auth': 'root:secret', 'zk.auth': 'root:secret' };
    const wrong = { 'etcd.auth': 'root:wrong', 'zk.auth': 'root:wrong' };
    await isOpenOnlyTo(etcd, { ...authority, ...right }, [{}, right, authority, { ...authority, ...wrong }]);
    // Who shows a certificate is known to ZooKeeper by that.
    await isOpenOnlyTo(zookeeper, files, [{}, authority]);
    await isOpenOnlyTo(
      stores.find(({ store }) => store === 'zookeeper'),
      right,
      [{}, wrong, files],
    );
  });

  async function isOpenOnlyTo(
    store: StoreServers | undefined,
    right: Readonly<Record<string, string>>,
    wrongs: readonly Readonly<Record<string, string>>[],
  ): Promise<void> {
    const openWith = (discoveryOpts: Readonly<Record<string, string>>): DiscoveryBackend =>
      openDiscovery(String(store?.uri('secure')), { role: 'agent', logger, discoveryOpts });
    const entry = { address: a, alive: true };
    const agent = openWith(right);
    await agent.register(entry, longTtlMs, never);
    const seen = watch(openWith(right));
    await seen.shows(`${a}+`);
    for (const wrong of wrongs) {
      await assert.rejects(openWith(wrong).register({ ...entry, facts: 'x' }, longTtlMs, never), JSON.stringify(wrong));
    }
    assert.deepEqual(seen.sets.at(-1), `${a}+`);
    await agent.deregister(entry, never);
    await seen.shows('');
  }

  for (const { title, make } of faults.filter(({ isQuick }) => isQuick ?? allOfIt)) {
    it(`stay what they were when ${title}`, async () => {
      await inEach(async (store) => {
        const leader = await store.leader();
        const prefix = `fault-${title.replaceAll(' ', '-')}`;
        const uri = store.uri(prefix, leader);
        const backend = open(uri);
        const seen = watch(backend);
        const [early, late] = [agentOf(a, uri), agentOf(b, uri)];
        early.start();
        await seen.shows(`${a}+`);
        const setsBefore = seen.sets.length;

        await make(store, leader);
        late.start();
        await seen.shows(`${a}+ ${b}+`, 60_000);
        assert.ok(seen.sets.slice(setsBefore).every((set) => set.includes(a)));
        assert.equal(backend.silentSince, undefined);
        await store.startAll();
        await Promise.all([early, late].map((agent) => agent.stop()));
        await Promise.all([a, b].map((address) => withdraw(uri, address)));
        await seen.shows('', 60_000);
      });
    });
  }

  it('let managers share states, and change only what they have seen', async () => {
    await inEach(async ({ store: name }) => {
      const [one, other] = [stateOf(name), stateOf(name)];
      const seen = follow(other, 'nodes');
      await until('nothing is there', () => seen.last === '');

      const place = { folder: 'nodes', key: 'ID:1|10.0.0.1:2375/ä%' };
      const version = await one.write(place, { text: 'a', seenVersion: 0 }, never);
      await until('it is seen', () => seen.last === `${place.key}=a`);
      await assert.rejects(other.write(place, { text: 'b', seenVersion: 0 }, never), StateConflict);
      const next = await other.write(place, { text: 'b', seenVersion: version }, never);
      assert.ok(next > version);
      await assert.rejects(one.remove(place, version, never), StateConflict);
      const { documents, version: position } = await one.read('nodes', never);
      assert.deepEqual(documents, new Map([[place.key, { text: 'b', version: next }]]));
      assert.ok(position >= next);

      const created = await Promise.allSettled(
        [one, other].map((state) => state.write({ ...place, key: 'both' }, { text: 'x', seenVersion: 0 }, never)),
      );
      assert.deepEqual(created.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      await one.write({ folder: 'nodes-of-others', key: 'x' }, { text: 'x', seenVersion: 0 }, never);
      await one.remove(place, next, never);
      await one.remove(place, next, never);
      await until('only that is left', () => seen.last === 'both=x');

      const own = { folder: 'creates', key: 'of one manager' };
      for (const text of ['first', 'second']) await one.put(own, text, never);
      assert.equal((await other.read(own.folder, never)).documents.get(own.key)?.text, 'second');
      for (let time = 0; time < 2; time += 1) await one.drop(own, never);
      assert.equal((await other.read(own.folder, never)).documents.size, 0);
    });
  });

  it('give managers one primary, and another one when that is lost', async () => {
    await inEach(async ({ store: name }) => {
      const candidates = [1, 2, 3].map((port) => candidate(name, { port, leaseMs: 2_000 }));
      const first = await primaryAmong(candidates);

      first.store.isCut = true;
      const second = await primaryAmong(candidates.filter((each) => each !== first));
      assert.equal(second.election.term(), 2);
      first.store.isCut = false;
      await until('the first follows', () => first.election.primary()?.address === second.address);
      await second.election.stop();
      const third = await primaryAmong(candidates.filter((each) => each !== second));
      assert.equal(third.election.term(), 3);
    });
  });

  it('keep the primary of the managers, and take states, when their leader is killed', async () => {
    await inEach(async (store) => {
      const name = store.store;
      const leader = await store.leader();
      const candidates = [1, 2].map((port) => candidate(name, { port, leaseMs: 8_000, first: leader }));
      const primary = await primaryAmong(candidates);
      const state = stateOf(name, leader);
      const seen = follow(stateOf(name, leader), 'kept');
      await state.write({ folder: 'kept', key: 'a' }, { text: 'before', seenVersion: 0 }, never);
      await until('it is seen', () => seen.last === 'a=before');

      await leader.kill();
      const write = (): Promise<boolean> =>
        state.write({ folder: 'kept', key: 'b' }, { text: 'after', seenVersion: 0 }, never).then(
          () => true,
          // The first answer may have been lost.
          (error: unknown) => error instanceof StateConflict,
        );
      await until('a state is written', write, 30_000);
      await until('it is seen', () => seen.last === 'a=before b=after', 30_000);
      assert.ok(seen.all.every((states) => states === '' || states.startsWith('a=before')));
      const beat = await beatOf(store, leader);
      await until('the lease is renewed', async () => (await beatOf(store, leader)) > beat, 30_000);
      assert.equal(await primaryAmong(candidates), primary);
      assert.equal(primary.election.term(), 1);
      await store.startAll();
    });
  });

  it('let a manager of etcd that is killed be replaced by one that knows its nodes', async () => {
    const engine = new SimulatedEngine({ name: 'simulated' });
    const uri = storeOf('etcd').uri('managers');
    const managers = [2375, 2385].map((port) => {
      const args = ['--replication', '--replication-ttl', '6s', '--advertise', `${bridgeAddress(rig.kind)}:${port}`];
      return new RigManager(rig.kind, uri, { port, name: `manager-${port}`, args });
    });
    try {
      await engine.listen();
      // A server that was killed before may be starting still.
      await until('it is announced', () =>
        open(uri)
          .register({ address: engine.address, alive: true }, longTtlMs, never)
          .then(
            () => true,
            () => false,
          ),
      );
      await Promise.all(managers.map((manager) => manager.start()));
      await Promise.all(managers.map((manager) => manager.waitUntilHealthy(1)));
      const role = async (manager: RigManager): Promise<string> =>
        ((await manager.api('GET', '/info')).json as { SystemStatus: string[][] }).SystemStatus[0]?.[1] ?? '';
      const roles = await until('there is a primary', async () => {
        const found = await Promise.all(managers.map(role));
        return found.includes('primary') && found.includes('replica') && found;
      });
      const replica = managers[roles.indexOf('replica')]!;
      const docker = new Clients(rig.kind, replica.address);
      const paused = await docker.docker(['node', 'update', '--availability', 'pause', 'simulated']);
      assert.equal(paused.code, 0, paused.stderr);

      await managers[roles.indexOf('primary')]!.kill();
      await until('it is replaced', async () => (await role(replica)) === 'primary', 20_000);
      const listed = await docker.docker(['node', 'ls', '--format', '{{.Hostname}} {{.Availability}}']);
      assert.equal(listed.stdout, 'simulated Pause\n');
    } finally {
      await Promise.all(managers.map((manager) => manager.stop()));
      await engine.stop();
    }
  });

  function storeOf(name: StoreName): StoreServers {
    const found = stores.find(({ store }) => store === name);
    assert.ok(found);
    return found;
  }

  function stateOf(name: StoreName, first?: StoreServer): StateStore {
    const discovery = storeOf(name).uri('shared', first);
    return openState({ discovery, discoveryOpts: {}, stateFile: undefined, registryFile: undefined, logger }).state;
  }

  /** Every reading of a folder, as "KEY=TEXT" for each state, and the last. */
  function follow(state: StateStore, folderOfStates: string): { readonly all: string[]; last: string | undefined } {
    const seen: { readonly all: string[]; last: string | undefined } = { all: [], last: undefined };
    tasks.spawn('follow states', async (signal) => {
      for await (const { documents } of state.watch(folderOfStates, signal)) {
        seen.last = [...documents]
          .map(([key, { text }]) => `${key}=${text}`)
          .sort()
          .join(' ');
        seen.all.push(seen.last);
      }
    });
    return seen;
  }

  function candidate(
    name: StoreName,
    { port, leaseMs, first }: { readonly port: number; readonly leaseMs: number; readonly first?: StoreServer },
  ): Candidate {
    const prefix = `election-${leaseMs}`;
    const store = new CutLeaderStore(openLeaderStore(storeOf(name).uri(prefix, first), { logger }));
    const address = `10.0.0.1:${port}`;
    const election = new Election({ store, address, leaseMs, logger });
    elections.push(election);
    election.start();
    return { store, address, election };
  }

  /** As the servers have it that are not `dead`. */
  async function beatOf(store: StoreServers, dead: StoreServer): Promise<number> {
    const alive = store.servers.find((server) => server !== dead);
    const key = openLeaderStore(store.uri('election-8000', alive), { logger });
    const { text } = await key.read({ waitMs: 0 }, never);
    return (JSON.parse(text) as { readonly beat: number }).beat;
  }

  /** The one that all agree on. */
  async function primaryAmong(candidates: readonly Candidate[]): Promise<Candidate> {
    return await until(
      'all agree on the primary',
      () => {
        const primaries = candidates.filter(({ election }) => election.isPrimary());
        const [primary] = primaries;
        const others = candidates.filter((each) => each !== primary);
        const areAgreed = others.every(({ election }) => election.primary()?.address === primary?.address);
        return primaries.length === 1 && areAgreed && primary;
      },
      30_000,
    );
  }

  /** The agent has only a second for it, and the store may have no leader yet. */
  async function withdraw(uri: string, address: string): Promise<void> {
    await until('it is withdrawn', () =>
      open(uri)
        .deregister({ address, alive: false }, never)
        .then(
          () => true,
          () => false,
        ),
    );
  }

  if (allOfIt) {
    it('are a thousand, and cost little while nothing happens', async () => {
      for (const store of stores) await measure(store);
    }).timeout(600_000);
  }

  async function measure(store: StoreServers): Promise<void> {
    const uri = store.uri('many');
    const addresses = Array.from({ length: 1_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}:2375`);
    const backends = new Map(addresses.map((address) => [address, open(uri)]));
    const seen = watch(open(uri));
    const traffic = new Traffic();
    const startMs = performance.now();
    const ofEach = async (work: (backend: DiscoveryBackend, address: string) => Promise<void>): Promise<void> => {
      const waiting = [...backends];
      const some = async (): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift()) await work(next[1], next[0]);
      };
      await Promise.all(Array.from({ length: 20 }, some));
    };
    await ofEach(async (backend, address) => {
      await backend.register({ address, alive: true, facts: '{"disk":7}' }, 180_000, never);
    });
    const announcedMs = performance.now() - startMs;
    await until('all are seen', () => seen.last?.split('+').length === 1_001, 60_000);
    const seenMs = performance.now() - startMs;
    await delay(settleMs);
    const announcing = traffic.take();
    await delay(quietMs);
    const quiet = traffic.take();
    const beats = [...backends].slice(0, 50);
    for (const [address, agent] of beats)
      await agent.register({ address, alive: true, facts: '{"disk":7}' }, 180_000, never);
    const beating = traffic.take();
    traffic.stop();
    await seen.stop();
    console.log(
      `      ${store.store}: 1,000 announced in ${Math.round(announcedMs)} ms, seen in ${Math.round(seenMs)} ms ` +
        `(${Math.round(announcing.bytes / 1000)} KB); watched: ${Math.round((quiet.bytes * 1000) / quietMs)} bytes/s; ` +
        `a heartbeat: ${Math.round(beating.bytes / beats.length)} bytes, ${beating.connections / beats.length} connections`,
    );
    await ofEach(async (backend, address) => {
      await backend.deregister({ address, alive: false }, never);
    });
  }
});

interface Candidate {
  readonly store: CutLeaderStore;
  readonly address: string;
  readonly election: Election;
}

/** The way to a store, which can be cut. */
class CutLeaderStore implements LeaderStore {
  isCut = false;
  readonly name: string;
  readonly #store: LeaderStore;

  constructor(store: LeaderStore) {
    this.#store = store;
    this.name = store.name;
  }

  async read(options: LeaderRead, signal: AbortSignal): Promise<LeaderText> {
    const found = await this.#store.read(options, signal);
    if (this.isCut) throw new Error('the way is cut');
    return found;
  }

  async write(text: string, version: number, signal: AbortSignal): Promise<number | undefined> {
    if (this.isCut) throw new Error('the way is cut');
    return await this.#store.write(text, version, signal);
  }
}

/** What goes over the connections that this process opens, without the headers of packets. */
class Traffic {
  readonly #sockets = new Set<Socket>();
  #bytesBefore = 0;
  #connections = 0;

  constructor() {
    subscribe('net.client.socket', this.#count);
  }

  /** Since the last time. */
  take(): { readonly bytes: number; readonly connections: number } {
    const total = [...this.#sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);
    const taken = { bytes: total - this.#bytesBefore, connections: this.#connections };
    this.#bytesBefore = total;
    this.#connections = 0;
    return taken;
  }

  stop(): void {
    unsubscribe('net.client.socket', this.#count);
  }

  readonly #count = (message: unknown): void => {
    this.#sockets.add((message as { readonly socket: Socket }).socket);
    this.#connections += 1;
  };
}
