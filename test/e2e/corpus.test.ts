// Projects of the corpus side by side with a plain engine, and what a cluster alone must show: several `up` at once, a
// manager that dies in the midst of one, services that find each other over nodes. `npm run corpus` plays the rest. It
// takes minutes, so it runs when asked for: SHOAL_CORPUS=1 npm run e2e test/e2e/corpus.test.ts
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { copyProject } from '../support/corpus/player.ts';
import { corpusProjects, type ComposeVersion } from '../support/corpus/projects.ts';
import { allParts, CorpusRig, described } from '../support/corpus/run.ts';
import type { CommandResult } from '../support/rig/command.ts';
import { stateDirectory } from '../support/rig/rig-kind.ts';
import { until } from '../support/until.ts';

const isAskedFor = process.env['SHOAL_CORPUS'] !== undefined;

/** How often two users come and go at once. */
const rounds = Number(process.env['SHOAL_CORPUS_ROUNDS'] ?? 2);

/** A part of the corpus, as "PROJECT COMPOSE". */
const parts = {
  bridge: ['healthchecks v2'],
  overlay: ['web-db-cache v1'],
};

(isAskedFor ? describe : describe.skip)('Compose projects', () => {
  let corpus: CorpusRig;

  before(async function () {
    this.timeout(120_000);
    corpus = await CorpusRig.start();
  });

  after(async () => {
    await corpus.stop();
  });

  describe('on bridge networks', () => {
    it('are what they are on a plain engine', async function () {
      this.timeout(400_000);
      await play(parts.bridge);
    });

    it('of two users at once come up and go down without a trace', async function () {
      this.timeout(120_000 + rounds * 10_000);
      for (let round = 1; round <= rounds; round += 1) {
        const projects = ['three-tiers', 'workers'];
        for (const command of [
          ['up', '-d'],
          ['down', '-v', '-t', '1'],
        ]) {
          const results = await Promise.all(projects.map(async (name) => await compose(name, 'v2', command)));
          for (const { code, stderr } of results)
            assert.equal(code, 0, `round ${round}, ${command.join(' ')}: ${stderr}`);
        }
        assert.deepEqual(await corpus.leftovers(), [], `round ${round}`);
      }
    });

    for (const version of ['v1', 'v2'] as const) {
      it(`come up at the second attempt when the manager dies in the midst of the first, with Compose ${version}`, async function () {
        this.timeout(240_000);
        const first = compose('voting', version, ['up', '-d']);
        await until('some containers are there', async () => (await onEngines('voting')).length >= 2, 20_000);
        await corpus.manager.kill();
        assert.notEqual((await first).code, 0);
        await corpus.manager.start();
        await corpus.manager.waitUntilHealthy(3);

        await ok('voting', version, ['up', '-d']);
        const services = (await onEngines('voting')).map((row) => text(row, 'Labels', 'com.docker.compose.service'));
        assert.deepEqual(services.sort(), ['db', 'redis', 'result', 'vote', 'worker']);
        await ok('voting', version, ['down', '-v', '-t', '1']);
        assert.deepEqual(await corpus.leftovers(), []);
      });
    }
  });

  describe('on overlay networks', () => {
    before(async () => {
      await corpus.formSwarm();
    });

    it('are what they are on a plain engine', async function () {
      this.timeout(400_000);
      await play(parts.overlay);
    });

    it('run an image that was built here on every node, without a registry', async function () {
      this.timeout(240_000);
      await ok('build', 'v2', ['build']);
      await ok('build', 'v2', ['up', '-d', '--scale', 'web=3']);
      const webs = await replicas('web');
      assert.equal(new Set(webs.map(nodeOf)).size, 3, webs.map(nodeOf).join());
      assert.equal(new Set(webs.map((web) => text(web, 'ImageID'))).size, 1);
      await ok('build', 'v2', ['down', '-v', '-t', '1']);
      assert.deepEqual(await corpus.leftovers(), []);
    });

    for (const version of ['v1', 'v2'] as const) {
      it(`spread over the nodes, find each other and keep their data, with Compose ${version}`, async function () {
        this.timeout(240_000);
        await ok('three-tiers', version, ['up', '-d', '--scale', 'web=6']);
        const webs = await replicas('web');
        assert.equal(webs.length, 6);
        assert.equal(new Set(webs.map(nodeOf)).size, 3, webs.map(nodeOf).join());
        for (const web of webs) await reaches(text(web, 'Id'), 'db');

        const write = 'echo one > /named/kept; echo two > /anonymous/kept';
        await ok('three-tiers', version, ['exec', '-T', 'db', 'sh', '-c', write]);
        const [before] = await replicas('db');
        await ok('three-tiers', version, ['up', '-d', '--scale', 'web=6'], { COLOUR: 'red' });
        const [recreated] = await replicas('db');
        assert.notEqual(text(recreated, 'Id'), text(before, 'Id'));
        assert.equal(nodeOf(recreated), nodeOf(before));
        const read = ['exec', '-T', 'db', 'cat', '/named/kept', '/anonymous/kept'];
        assert.equal(await ok('three-tiers', version, read), 'one\ntwo\n');
        for (const web of await replicas('web')) await reaches(text(web, 'Id'), 'db');

        await ok('three-tiers', version, ['down', '-v', '-t', '1']);
        await withoutOrphans();
        assert.deepEqual(await corpus.leftovers(), []);
      });
    }
  });

  async function play(names: readonly string[]): Promise<void> {
    const chosen = allParts().filter(({ project, version }) => names.includes(`${project.name} ${version}`));
    assert.equal(chosen.length, names.length);
    const { differences, left } = await corpus.play(chosen, 2, () => undefined);
    assert.equal(differences.length, 0, differences.map(described).join('\n'));
    assert.deepEqual(left, []);
  }

  async function compose(
    name: string,
    version: ComposeVersion,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    const project = corpusProjects().find((one) => one.name === name)!;
    const cwd = copyProject(project, `${stateDirectory(corpus.rig.kind)}/own`);
    const { address } = corpus.manager;
    return await corpus.rig.compose(version, ['-p', name, '-f', 'compose.yaml', ...args], { cwd, env, address });
  }

  async function ok(...command: Parameters<typeof compose>): Promise<string> {
    const { code, stdout, stderr } = await compose(...command);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function replicas(service: string): Promise<readonly unknown[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.service=${service}`] }));
    return elements((await corpus.manager.api('GET', `/containers/json?all=1&filters=${filters}`)).json);
  }

  /** Compose forgets the anonymous volumes of a container that it has recreated, on a plain engine too. */
  async function withoutOrphans(): Promise<void> {
    const { code, stdout } = await corpus.rig.docker(['volume', 'prune', '-af'], { address: corpus.manager.address });
    assert.equal(code, 0, stdout);
  }

  /** Of a project, as the engines themselves list them. */
  async function onEngines(project: string): Promise<readonly unknown[]> {
    const lists = await Promise.all(
      corpus.cluster.engines.map(async (engine) => elements((await engine.api('GET', '/containers/json?all=1')).json)),
    );
    return lists.flat().filter((row) => field(row, 'Labels', 'com.docker.compose.project') === project);
  }

  /** Names travel between nodes a moment after the containers have started. */
  async function reaches(containerId: string, name: string): Promise<void> {
    const ping = ['exec', containerId, 'ping', '-c', '1', '-W', '1', name];
    await until(
      `${containerId} reaches ${name}`,
      async () => (await corpus.rig.docker(ping, { address: corpus.manager.address })).code === 0,
      20_000,
    );
  }
});

function nodeOf(row: unknown): string {
  return text(row, 'Labels', 'com.docker.swarm.node');
}
