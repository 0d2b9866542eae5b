// Nodes are taken care of with the stock client, and what may leave them does, without harm: nothing is lost, nothing is
// doubled, and a service that runs more than once goes on answering.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

const composeFile = `
services:
  web:
    image: busybox
    network_mode: bridge
    stop_signal: SIGKILL
    command: httpd -f -p 80 -h /etc
    ports: ["80"]
    labels: {com.docker.swarm.reschedule-policies: '["on-drain","on-node-failure"]'}
    healthcheck: {test: ["CMD", "wget", "-q", "-O-", "http://127.0.0.1/passwd"], interval: 500ms, timeout: 5s, retries: 60}
    deploy: {replicas: 3}
`;

describe('the nodes of a cluster', () => {
  let rig: Rig;
  let folder: string;

  before(async () => {
    rig = await startRig({
      engines: ['20.10', '28.5', '20.10'],
      discovery: 'consul',
      agentArgs: ['--heartbeat', '1s', '--ttl', '3s'],
      manager: { args: ['--heartbeat', '1s', '--reschedule-grace', '2s'] },
      compose: true,
    });
    folder = `${stateDirectory(rig.kind)}/shop`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/docker-compose.yml`, composeFile);
  });

  after(async () => {
    await rig.stop();
  });

  async function docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  async function compose(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await rig.compose('v2', args, { cwd: folder });
    assert.equal(code, 0, stderr);
  }

  async function nodeOf(container: string): Promise<string> {
    return await docker('inspect', '-f', '{{.Node.Name}}', container);
  }

  it('are listed, labelled and paused with the stock client, and that outlives the manager', async () => {
    assert.deepEqual(
      (await docker('node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.Availability}}')).split('\n'),
      ['node-1 Ready Active', 'node-2 Ready Active', 'node-3 Ready Active'],
    );
    await docker('node', 'update', '--label-add', 'rack=7', '--availability', 'pause', 'node-2');
    await docker('node', 'update', '--label-add', 'zone=b', 'node-3');
    await rig.manager.kill();
    await rig.manager.start();
    await rig.manager.waitUntilHealthy(3);
    const printed = await docker('node', 'inspect', '--pretty', 'node-2');
    assert.match(printed, /Availability:\s+Pause/);
    assert.match(printed, /rack=7/);
    assert.equal(await nodeOf(await docker('run', '-d', '-e', 'constraint:zone==b', 'busybox', 'true')), 'node-3');
    const refused = await rig.docker(['run', '-d', '-e', 'constraint:rack==7', 'busybox', 'true']);
    assert.match(refused.stderr, /node-2: node is paused/);
    await docker('node', 'update', '--label-rm', 'rack', '--availability', 'active', 'node-2');
    const node = (await rig.api('GET', '/nodes/node-2')).json;
    assert.deepEqual(field(node, 'Spec', 'Labels'), {});
    const conflict = await rig.api('POST', '/nodes/node-2/update?version=1', field(node, 'Spec'));
    assert.deepEqual(
      [conflict.status, text(conflict.json, 'message')],
      [500, 'rpc error: code = Unknown desc = update out of sequence'],
    );
  });

  it('are drained while a service on them goes on answering', async () => {
    await compose('up', '-d', '--wait');
    const [drained = ''] = [...new Set(await replicaNodes())];
    await docker('run', '-d', '--name', 'stays', '-e', `constraint:node==${drained}`, 'busybox', 'sleep', '3600');
    const before = (await replicaNodes()).length;
    const poller = new Poller(rig);
    await poller.start();
    await docker('node', 'update', '--availability', 'drain', drained);
    await until('the replicas have left', async () => !(await replicaNodes()).includes(drained), 60_000);
    const stale = `^shop-web-.*\\.stale-${drained}$`;
    const listStale = ['ps', '-a', '--filter', `name=${stale}`, '--filter', 'status=exited', '-q'];
    await until('the older copies are put away', async () => (await docker(...listStale)) !== '', 30_000);
    await poller.stop();
    assert.deepEqual(poller.gaps, []);
    assert.ok(poller.answers > 20, `${poller.answers} answers`);
    assert.equal((await replicaNodes()).length, before);
    assert.match(await docker('node', 'ps', '--no-trunc', drained), /stays\.1 .*not created with reschedule:on-drain/);
    assert.match(await docker('node', 'inspect', '--pretty', drained), /Message:\s+it keeps stays/i);
    const kept = await docker(...listStale);
    await compose('up', '-d', '--wait');
    assert.equal(await docker(...listStale), kept, 'Compose leaves the older copies alone');
    await docker('node', 'update', '--availability', 'active', drained);
    await compose('down', '-t', '0');
    await docker('rm', '-f', 'stays', ...kept.split('\n'));
  });

  it('give a container away with all that it was created with', async () => {
    await docker('run', '-d', '--name', 'rich', ...richFlags, 'busybox', 'sleep', '3600');
    const from = await nodeOf('rich');
    const before = (await rig.api('GET', '/containers/rich/json')).json;
    await docker('node', 'update', '--availability', 'drain', from);
    const stale = ['ps', '-aq', '--filter', `name=rich.stale-${from}`];
    await until('the older copy is put away', async () => (await docker(...stale)) !== '', 40_000);
    const after = (await rig.api('GET', '/containers/rich/json')).json;
    assert.deepEqual(differentPlaces(before, after), []);
    assert.deepEqual(field(after, 'Config', 'Env'), field(before, 'Config', 'Env'));
    await docker('node', 'update', '--availability', 'active', from);
    await docker('rm', '-f', 'rich', `rich.stale-${from}`);
  });

  it('lose what may go to others when they are cut off, and keep the older copies when they are back', async () => {
    const on = (name: string): readonly string[] => ['run', '-d', '--name', name, '-e', 'constraint:node!=node-2'];
    const image = ['--stop-signal', 'KILL', 'busybox', 'sleep', '3600'];
    await docker(
      ...on('app'),
      '-e',
      'reschedule:on-node-failure',
      '--restart',
      'always',
      '-m',
      '64m',
      '-e',
      'A=1',
      ...image,
    );
    const lost = await nodeOf('app');
    const mayLeave = ['-e', 'reschedule:on-node-failure'];
    const there = ['-e', `constraint:node==${lost}`];
    await docker('run', '-d', '--name', 'side', ...mayLeave, '--network', 'container:app', ...image);
    await docker('run', '-d', '--name', 'db', ...mayLeave, ...there, '-v', 'data:/data', ...image);
    const before = (await rig.api('GET', '/containers/app/json')).json;
    const machine = rig.engines.find(({ name }) => name === lost);
    assert.ok(machine);
    await machine.cutOff();
    const isElsewhere = async (name: string): Promise<boolean> => {
      const { status, json } = await rig.api('GET', `/containers/${name}/json`);
      return status === 200 && text(json, 'Node', 'Name') !== lost && field(json, 'State', 'Running') === true;
    };
    await until('both are elsewhere', async () => (await isElsewhere('app')) && (await isElsewhere('side')), 40_000);
    const after = (await rig.api('GET', '/containers/app/json')).json;
    for (const path of [['Cmd'], ['Env'], ['Image']]) {
      assert.deepEqual(field(after, 'Config', ...path), field(before, 'Config', ...path));
    }
    for (const key of ['Memory', 'RestartPolicy']) {
      assert.deepEqual(field(after, 'HostConfig', key), field(before, 'HostConfig', key));
    }
    assert.equal((await rig.api('GET', '/containers/db/json')).status, 503, 'its data is on the lost node');

    await machine.reconnect();
    let isAlwaysCurrent = true;
    const id = text(after, 'Id');
    await until(
      'the older copies are put away',
      async () => {
        const { status, json } = await rig.api('GET', '/containers/app/json');
        isAlwaysCurrent &&= status === 200 && text(json, 'Id') === id;
        const rows = elements((await machine.api('GET', '/containers/json?all=1')).json);
        const states = rows.map((row) => `${text(row, 'Names', 0)} ${text(row, 'State')}`);
        return ['app', 'side'].every((name) => states.includes(`/${name}.stale-${lost} exited`));
      },
      40_000,
    );
    assert.ok(isAlwaysCurrent, 'the plain name meant the new copy all the time');
    const stale = await until('the manager has seen it', async () => {
      const { status, json } = await rig.api('GET', `/containers/app.stale-${lost}/json`);
      return status === 200 && json;
    });
    assert.equal(text(stale, 'Id'), text(before, 'Id'));
    assert.equal(text(stale, 'HostConfig', 'RestartPolicy', 'Name'), 'no');
    assert.equal(text((await rig.api('GET', '/containers/db/json')).json, 'State', 'Status'), 'running');
    await docker('rm', '-f', 'app', 'side', 'db', `side.stale-${lost}`, `app.stale-${lost}`);
  });

  async function replicaNodes(): Promise<readonly string[]> {
    const rows = elements((await rig.api('GET', `/containers/json?filters=${ofService}`)).json);
    return rows.map((row) => text(row, 'Labels', 'com.docker.swarm.node'));
  }
});

/** All that a moved container may have been created with; of two nodes of one release, so that all may stay the same. */
const richFlags = [
  ...['-e', 'reschedule:on-drain', '-e', 'constraint:node!=node-2', '-e', 'A=1', '--label', 'tier=web'],
  ...['--hostname', 'shop', '--user', '0:5', '--group-add', '7', '--workdir', '/tmp', '--entrypoint', 'env', '-t'],
  ...['--health-cmd', 'true', '--health-interval', '500ms', '--health-retries', '4', '--stop-timeout', '7'],
  ...['--ulimit', 'nofile=512:1024', '--device', '/dev/null:/dev/empty:rw', '--tmpfs', '/scratch:size=1m'],
  ...['--log-opt', 'max-size=1m', '--log-opt', 'max-file=2', '--restart', 'on-failure:3', '--stop-signal', 'KILL'],
  ...['--dns', '10.9.9.9', '--dns-search', 'shop.example', '--dns-opt', 'ndots:2', '--add-host', 'db:10.1.1.1'],
  ...['-p', '18080:80', '-p', '53/udp', '--expose', '81', '--cap-add', 'NET_ADMIN', '--cap-drop', 'MKNOD'],
  ...['--sysctl', 'net.ipv4.ip_forward=1', '--shm-size', '32m', '--memory', '64m', '--cpu-shares', '512'],
  ...['--pids-limit', '50', '--oom-score-adj', '100', '--security-opt', 'no-new-privileges', '--read-only'],
  ...['-v', '/etc/hostname:/etc/node:ro', '--ipc', 'private', '--cpuset-cpus', '0'],
];

/** What README says of a moved container; paths of an inspect. */
const mayDiffer: readonly RegExp[] = [
  /^Id$|^Created$|^Node\.|^Placement\.|^State\.(Pid|StartedAt|FinishedAt|Health\.)/,
  // What looks at its health at the moment.
  /^ExecIDs(\.|$)/,
  /^(ResolvConfPath|HostnamePath|HostsPath|LogPath)$|^GraphDriver\.Data\./,
  /^Config\.Labels\.com\.docker\.swarm\.(placement|generation)$/,
  // Addresses of the new node, and ports that were left to the engine.
  /^NetworkSettings\.(SandboxID|SandboxKey|EndpointID|IPAddress|MacAddress|Gateway)$/,
  /^NetworkSettings\.Ports\..*\.(HostIp|HostPort)$/,
  /^NetworkSettings\.Networks\.[^.]+\.(NetworkID|EndpointID|IPAddress|MacAddress|Gateway)$/,
];

/** Paths at which two inspects differ though they should not, with both values. */
function differentPlaces(before: unknown, after: unknown): readonly string[] {
  const [old, now] = [leaves(before), leaves(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => old.get(path) !== now.get(path) && !mayDiffer.some((allowed) => allowed.test(path)))
    .map((path) => `${path}: ${old.get(path) ?? 'absent'} -> ${now.get(path) ?? 'absent'}`);
}

function leaves(value: unknown, path = ''): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0)
    return new Map([[path, JSON.stringify(value)]]);
  const below = Object.entries(value).flatMap(([key, member]) => [
    ...leaves(member, path === '' ? key : `${path}.${key}`),
  ]);
  return new Map(below);
}

const ofService = encodeURIComponent('{"label":["com.docker.compose.service=web"]}');

/** Asks the replicas through their published ports, one after the other, and remembers when none answered. */
class Poller {
  readonly gaps: string[] = [];
  answers = 0;
  readonly #rig: Rig;
  readonly #ended = new AbortController();
  #urls: readonly string[] = [];
  #running: Promise<unknown> = Promise.resolve();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async start(): Promise<void> {
    await this.#find();
    this.#running = Promise.all([this.#poll(), this.#follow()]);
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  /** As a load balancer that follows the list of containers. */
  async #follow(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#find();
      await delay(100);
    }
  }

  async #find(): Promise<void> {
    const rows = elements((await this.#rig.api('GET', `/containers/json?filters=${ofService}`)).json);
    this.#urls = rows.flatMap((row) =>
      elements(row, 'Ports').flatMap((port) => {
        const host = field(port, 'IP');
        const number = field(port, 'PublicPort');
        return typeof host === 'string' && typeof number === 'number' ? [`http://${host}:${number}/passwd`] : [];
      }),
    );
  }

  async #poll(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      if (await this.#isAnyAnswering()) this.answers += 1;
      else this.gaps.push(new Date().toISOString());
      await delay(50);
    }
  }

  async #isAnyAnswering(): Promise<boolean> {
    for (const url of this.#urls) {
      try {
        if ((await httpCall({ method: 'GET', url, timeoutMs: 2_000 })).status === 200) return true;
      } catch {
        // Another replica may answer.
      }
    }
    return false;
  }
}
