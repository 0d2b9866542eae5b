// Networks over several nodes: one manager makes the engines a swarm, another one that was running before notices it.
// Plain containers and whole Compose projects then reach each other by name, wherever they are.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import type { RigManager } from '../support/rig/shoal-process.ts';
import { until } from '../support/until.ts';

const composeFile = `
services:
  db:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c 'echo \${WORD:-first} >> /named/words; echo \${WORD:-first} >> /anonymous/words; exec httpd -f -p 5432 -h /named'
    volumes: ["data:/named", "/anonymous"]
    networks: {back: {aliases: [store]}}
  web:
    image: busybox
    stop_signal: SIGKILL
    command: sleep 3600
    networks: [default, back]
networks: {back: {driver: bridge, internal: true}}
volumes: {data: {}}
`;

describe('a network over several nodes', () => {
  let rig: Rig;
  /** Told to form the swarm; the rig's own manager is not. */
  let keeper: RigManager;

  before(async () => {
    rig = await startRig({ engines: ['28.5', '20.10', '28.5', '20.10'], compose: true });
    const nodes = `nodes://${rig.engines.map(({ address }) => address).join(',')}`;
    const args = ['--cluster-network', 'overlay'];
    keeper = rig.newManager(nodes, { args, port: 2376, name: 'keeper' });
  });

  after(async () => {
    await keeper.stop();
    await rig.stop();
  });

  async function docker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** The nodes tell each other in their own time where a name is. */
  async function reaches(container: string, name: string): Promise<boolean> {
    return (await rig.docker(['exec', container, 'ping', '-c', '1', '-W', '5', name])).code === 0;
  }

  async function statusRow(manager: RigManager, key: string): Promise<string> {
    const rows = elements((await manager.api('GET', '/info')).json, 'SystemStatus');
    return text(
      rows.find((row) => field(row, 0) === key),
      1,
    );
  }

  it('is on one node as long as the engines share no swarm, and says so', async () => {
    const created = await rig.api('POST', '/networks/create', { Name: 'narrow', Driver: 'overlay' });

    assert.equal(created.status, 201);
    assert.match(text(created.json, 'Warning'), /on node node-\d alone.*share no swarm/);
    assert.equal(field((await rig.api('GET', '/networks/narrow')).json, 'Driver'), 'bridge');
    assert.match(await statusRow(rig.manager, 'Networks'), /one node each/);
    await docker('network', 'rm', 'narrow');
  });

  it('spans all nodes once a manager has made them one swarm, which other managers notice', async () => {
    await keeper.start();
    const spanning = 'overlay over 4 of 4 nodes, 3 of them managers';
    await until('the swarm is formed', async () => (await statusRow(keeper, 'Networks')).startsWith(spanning), 40_000);
    await until('it is noticed', async () => (await statusRow(rig.manager, 'Networks')).startsWith(spanning), 10_000);

    await docker('network', 'create', 'wide');
    assert.equal(field((await rig.api('GET', '/networks/wide')).json, 'Driver'), 'overlay');
  });

  it('is shown once with the containers of all nodes, and removed when they have left', async () => {
    const names = rig.engines.map(({ name }) => `on-${name}`);
    await Promise.all(
      names.map(async (name, index) => {
        const place = ['--network', 'wide', '--network-alias', 'all', '-e', `constraint:node==node-${index + 1}`];
        await docker('run', '-d', '--name', name, ...place, 'busybox', 'sleep', '600');
      }),
    );
    const containers = field((await rig.api('GET', '/networks/wide')).json, 'Containers') as object;
    const shown = Object.values(containers).map((container) => text(container, 'Name'));
    assert.deepEqual(
      names.filter((name) => !shown.includes(name)),
      [],
    );
    const rows = elements((await rig.api('GET', '/networks')).json).filter((row) => field(row, 'Name') === 'wide');
    assert.equal(rows.length, 1);
    for (const name of names.slice(1)) await until('it is found', async () => await reaches(names[0]!, name));
    assert.equal((await docker('exec', names[3]!, 'nslookup', 'all')).match(/^Address[^#\n]*: 10\./gm)?.length, 4);

    assert.match((await rig.docker(['network', 'rm', 'wide'])).stderr, /has active endpoints/);
    await docker('network', 'prune', '-f');
    await docker('network', 'inspect', 'wide');
    await docker('network', 'disconnect', 'wide', names[1]!);
    await docker('network', 'connect', '--alias', 'back', 'wide', names[1]!);
    await until('it is found again', async () => await reaches(names[0]!, 'back'));
    await docker('rm', '-f', ...names);
    await docker('network', 'rm', 'wide');
    assert.equal((await rig.api('GET', '/networks/wide')).status, 404);
  });

  for (const version of ['v1', 'v2'] as const) {
    it(`carries a project of Compose ${version}, whose data stays where it is`, async () => {
      const cwd = `${stateDirectory(rig.kind)}/tiers${version}`;
      mkdirSync(cwd, { recursive: true });
      writeFileSync(`${cwd}/docker-compose.yml`, composeFile);
      const compose = async (args: readonly string[], word = 'first'): Promise<string> => {
        const { code, stdout, stderr } = await rig.compose(version, args, { cwd, env: { WORD: word } });
        assert.equal(code, 0, `compose ${args.join(' ')}: ${stdout} ${stderr}`);
        return stdout;
      };
      await compose(['up', '-d', '--scale', 'web=4']);
      const webs = (await compose(['ps', '-q', 'web'])).trim().split('\n');
      assert.equal(webs.length, 4);
      const nodes = await Promise.all(webs.map((id) => docker('inspect', '-f', '{{.Node.Name}}', id)));
      assert.ok(new Set(nodes).size >= 3, nodes.join());
      const read = async (id: string, name: string): Promise<string> =>
        await docker('exec', id, 'wget', '-qO-', `http://${name}:5432/words`);
      const said = await Promise.all(webs.map(async (id, index) => await read(id, index % 2 === 0 ? 'db' : 'store')));
      assert.deepEqual(new Set(said), new Set(['first']));

      await compose(['up', '-d', '--scale', 'web=4'], 'second');
      const words = await compose(['exec', '-T', 'db', 'cat', '/named/words', '/anonymous/words']);
      assert.equal(words, 'first\nsecond\nfirst\nsecond\n');
      assert.equal(await read(webs[0]!, 'db'), 'first\nsecond');
      await compose(['down', '-v', '-t', '0']);
      for (const engine of rig.engines) {
        const filters = '{"label":["com.docker.compose.project"]}';
        await until(`${engine.name} has no network left`, async () => {
          return elements((await engine.api('GET', `/networks?filters=${filters}`)).json).length === 0;
        });
      }
    });
  }

  it('can be created and joined after the loss of the node that led the swarm', async () => {
    const leader = await leadingEngine();
    await leader.kill();
    await docker('network', 'create', 'after');
    const others = rig.engines.filter((engine) => engine !== leader).map(({ name }) => name);
    for (const name of others.slice(0, 2)) {
      const place = ['--network', 'after', '-e', `constraint:node==${name}`];
      await docker('run', '-d', '--name', `after-${name}`, ...place, 'busybox', 'sleep', '600');
    }
    const [one, other] = others.map((name) => `after-${name}`);
    await until('one hears of the other', async () => await reaches(one!, other!), 30_000);
  });

  async function leadingEngine(): Promise<Rig['engines'][number]> {
    for (const engine of rig.engines) {
      const { status, json } = await engine.api('GET', '/nodes');
      if (status !== 200) continue;
      const leader = elements(json).find((node) => field(node, 'ManagerStatus', 'Leader') === true);
      const found = rig.engines.find(({ name }) => name === field(leader, 'Description', 'Hostname'));
      if (found !== undefined) return found;
    }
    throw new Error('the swarm has no leader');
  }
});
