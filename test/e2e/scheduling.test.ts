// Placement on real engines, as users ask for it: rules in the environment and in labels, by the stock client and by
// both versions of Compose.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

describe('placement on real engines', () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({
      engines: [
        { release: '20.10', labels: ['storage=disk', 'zone=a'] },
        { release: '28.5', labels: ['storage=ssd', 'zone=b'] },
        { release: '20.10', labels: ['storage=ssd', 'zone=b', 'containerslots=4'] },
      ],
      compose: true,
      manager: { args: ['--cluster-opt', 'swarm.createretry=2'] },
    });
  });

  after(async () => {
    await rig.stop();
  });

  afterEach(async () => {
    const rows = elements((await rig.api('GET', '/containers/json?all=1')).json);
    await Promise.all(rows.map((row) => rig.api('DELETE', `/containers/${text(row, 'Id')}?force=1&v=1`)));
  });

  /** The node on which `docker run -d` with these arguments put its container. */
  async function run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(['run', '-d', ...args, 'busybox', 'sleep', '600']);
    assert.equal(code, 0, stderr);
    return text((await rig.api('GET', `/containers/${stdout.trim()}/json`)).json, 'Node', 'Name');
  }

  /** What `docker run` with these arguments fails with. */
  async function refusal(...args: readonly string[]): Promise<string> {
    const { code, stderr } = await rig.docker(['run', '-d', ...args, 'busybox', 'true']);
    assert.equal(code, 125, stderr);
    return stderr;
  }

  const anyOf = (...names: readonly string[]): RegExp => new RegExp(`^(?:${names.join('|')})$`);

  it('obeys constraints, in the environment and in a label, and keeps them from the container', async () => {
    assert.equal(await run('-e', 'constraint:storage==disk', '--name', 'disk'), 'node-1');
    assert.equal(await run('-e', 'constraint:node==/2$/'), 'node-2');
    assert.equal(await run('-e', 'constraint:version>=28', '-e', 'constraint:zone==~moon'), 'node-2');
    assert.equal(await run('--label', 'com.docker.swarm.constraints=["zone==b","node!=node-2"]'), 'node-3');
    const { stdout } = await rig.docker(['exec', 'disk', 'env']);
    assert.doesNotMatch(stdout, /constraint/);
    assert.match(
      await refusal('-e', 'constraint:storage==tape'),
      /node-1: constraint storage==tape does not hold \(storage is disk\)/,
    );
    assert.match(await refusal('-e', 'constraint:storage=ssd'), /at position 8: expected one of the operators/);
  });

  it('keeps containers together and apart by affinity', async () => {
    const front = await run('--name', 'front', '--label', 'tier=web');
    assert.equal(await run('-e', 'affinity:container==front'), front);
    assert.equal(await run('-e', 'affinity:tier==web'), front);
    assert.equal(await run('-e', 'affinity:image==busybox', '-e', `constraint:node==${front}`), front);
    assert.notEqual(await run('-e', 'affinity:container!=fr*', '--name', 'apart'), front);
    const other = await run('-e', 'affinity:container!=db*@zone', '--name', 'db-1', '-e', 'constraint:zone==b');
    assert.match(other, anyOf('node-2', 'node-3'));
    assert.equal(await run('-e', 'affinity:container!=db*@zone', '--name', 'db-2'), 'node-1');
    assert.match(await refusal('-e', 'affinity:container!=db*@zone'), /something on the nodes of the same zone/);
  });

  it('gives a host port to one container of each node', async () => {
    const nodes = [await run('-p', '8080:80'), await run('-p', '8080:80'), await run('-p', '8080:80')];
    assert.deepEqual([...nodes].sort(), ['node-1', 'node-2', 'node-3']);
    assert.match(await refusal('-p', '8080:80'), /node-1: port 8080\/tcp is taken\n {2}node-2: port/);
    assert.match(await run('-p', '8080:80/udp'), anyOf('node-1', 'node-2', 'node-3'));
  });

  it('gives away no more memory than a node has, nor more slots than its label says', async () => {
    const engineMemory = Number(field((await rig.engines[0]!.api('GET', '/info')).json, 'MemTotal'));
    const most = `${Math.floor(engineMemory * 0.7)}`;
    const nodes = [await run('-m', most), await run('-m', most), await run('-m', most)];
    assert.deepEqual([...nodes].sort(), ['node-1', 'node-2', 'node-3']);
    assert.match(await refusal('-m', most), /no resources available to schedule container(?:.|\n)*of memory wanted/);
    const onNode3 = ['-e', 'constraint:node==node-3'];
    for (let count = 1; count < 4; count += 1) await run(...onNode3);
    assert.match(await refusal(...onNode3), /node-3: all 4 container slots are taken/);
  });

  it('goes where the volumes and the network of another container are, and where a volume is', async () => {
    const owner = await run('-v', 'kept:/data', '--name', 'owner');
    for (let count = 0; count < 2; count += 1) await run();
    assert.equal(await run('--volumes-from', 'owner'), owner);
    assert.equal(await run('--network', 'container:owner'), owner);
    assert.equal(await run('-v', 'kept:/data'), owner);
    const away = `constraint:node!=${owner}`;
    assert.match(await refusal('-v', 'kept:/data', '-e', away), /volume kept is not on this node/);
    await rig.api('DELETE', '/containers/owner?force=1');
  });

  it('starts a container on the next node when a foreign process holds its port', async () => {
    const onNode2 = 'constraint:node==node-2';
    const server = ['run', '-d', '--network', 'host', '-e', onNode2, 'busybox', 'httpd', '-f', '-p', '8090'];
    assert.equal((await rig.docker(server)).code, 0);
    const { code, stdout, stderr } = await rig.docker([
      'run',
      '-d',
      '-p',
      '8090:80',
      '--name',
      'moved',
      '-e',
      'constraint:node==~node-2',
      'busybox',
      'sleep',
      '600',
    ]);
    assert.equal(code, 0, stderr);
    const inspected = (await rig.api('GET', `/containers/${stdout.trim()}/json`)).json;
    assert.notEqual(text(inspected, 'Node', 'Name'), 'node-2');
    assert.equal(field(inspected, 'State', 'Running'), true);
    assert.equal(text(inspected, 'Placement', 'Attempts', 0, 'Node'), 'node-2');
    assert.equal(elements((await rig.engines[1]!.api('GET', '/containers/json?all=1')).json).length, 1);
    assert.match(await refusal('-p', '8090:80', '-e', onNode2), /8090/);
  });

  it('tells the plan of a dry run and creates nothing', async () => {
    const { code, stderr } = await rig.docker(['run', '-e', 'dryrun:true', '-e', 'constraint:zone==b', 'busybox']);
    assert.equal(code, 125);
    assert.match(stderr, /dry run: nothing was created; the container would go to node-2\n/);
    assert.match(stderr, /\n {2}node-1: constraint zone==b does not hold \(zone is a\)\n/);
    assert.match(stderr, /\n {2}node-2: chosen; score 200\.0 = cpu 100\.0 \+ memory 100\.0; containers 0\n/);
    const absent = await rig.docker(['run', '--label', 'com.docker.swarm.dryrun=true', 'absent:1']);
    assert.match(absent.stderr, /image absent:1 is on no node/);
    assert.doesNotMatch(absent.stderr, /Pulling|Unable to find image/);
    for (const engine of rig.engines) assert.deepEqual((await engine.api('GET', '/containers/json?all=1')).json, []);
  });

  it('tells why a container is on its node', async () => {
    await run('--name', 'web', '-e', 'constraint:zone==~moon', '-e', 'constraint:storage==ssd');
    const { stdout } = await rig.docker(['inspect', '-f', '{{json .Placement}}', 'web']);
    const placement: unknown = JSON.parse(stdout);
    assert.equal(field(placement, 'Node'), 'node-2');
    assert.deepEqual(field(placement, 'Parts'), { cpu: 100, memory: 100 });
    assert.deepEqual(field(placement, 'GivenUp'), ['zone==~moon']);
  });

  it('holds a create that may wait until there is room', async () => {
    const port = ['-p', '8081:80', '-e', 'constraint:node==node-1'];
    await run(...port, '--name', 'first');
    const waiting = run(...port, '-e', 'wait:1m', '--name', 'second');
    await until('it waits', async () =>
      /Waiting creates: 1\n\s+└ second: waits for/.test((await rig.docker(['info'])).stdout),
    );
    await rig.docker(['rm', '-f', 'first']);
    assert.equal(await waiting, 'node-1');
  });

  const project = `
services:
  web:
    image: busybox
    command: sleep 600
    network_mode: bridge
    stop_signal: SIGKILL
    RULES
`;
  const written: readonly (readonly [how: string, rules: string])[] = [
    ['environment', 'environment: ["constraint:storage==ssd", "affinity:container!=~none*"]'],
    ['labels', `labels: {com.docker.swarm.constraints: '["storage==ssd"]'}`],
  ];
  for (const version of ['v1', 'v2'] as const) {
    for (const [how, rules] of written) {
      it(`obeys rules under "${how}:" of a file of Compose ${version}, and spreads the copies`, async () => {
        const cwd = `${stateDirectory(rig.kind)}/rules-${version}-${how}`;
        mkdirSync(cwd, { recursive: true });
        writeFileSync(`${cwd}/docker-compose.yml`, project.replace('RULES', rules));
        const { code, stderr } = await rig.compose(version, ['up', '-d', '--scale', 'web=2'], { cwd });
        assert.equal(code, 0, stderr);
        const rows = elements((await rig.api('GET', '/containers/json')).json);
        const nodes = rows.map((row) => text(row, 'Labels', 'com.docker.swarm.node'));
        assert.deepEqual(nodes.sort(), ['node-2', 'node-3']);
      });
    }
  }
});
