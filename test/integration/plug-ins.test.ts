// Filters and strategies that users wrote, as modules on disk: the examples of the README, and modules that misbehave.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, afterEach, before, describe, it } from 'mocha';
import { runManage } from '../../src/cli/manage.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import type { Filter, Strategy } from '../../src/scheduler/contracts.ts';
import { openFilters } from '../../src/scheduler/filters/index.ts';
import { filterNames } from '../../src/scheduler/filters/names.ts';
import { loadFilter, loadStrategy } from '../../src/scheduler/plug-ins/load.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../src/scheduler/strategies/index.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

describe('a plug-in', () => {
  const logger = createSilentLogger();
  let folder: string;
  let shoal: SimulatedCluster | undefined;

  before(() => {
    folder = mkdtempSync(`${tmpdir()}/shoal-plug-ins-`);
    for (const [name, text] of readmeExamples()) writeFileSync(`${folder}/${name}`, text);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  afterEach(async () => {
    await shoal?.stop();
    shoal = undefined;
  });

  const write = (name: string, text: string): string => {
    writeFileSync(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };

  async function startWith(
    { filter, strategy = openStrategy('spread') }: { readonly filter?: Filter; readonly strategy?: Strategy },
    engines: NonNullable<Parameters<typeof startSimulatedCluster>[0]>['engines'] = 2,
  ): Promise<SimulatedCluster> {
    const plugIns = new Map(filter === undefined ? [] : [['./plug-in.js', filter]]);
    const filters = openFilters([...plugIns.keys()], { plugIns });
    shoal = await startSimulatedCluster({ engines, cluster: { scheduler: new Scheduler({ filters, strategy }) } });
    return shoal;
  }

  it('filters as the example of the README says', async () => {
    const { api, run } = bound(await startWith({ filter: await loadFilter(`${folder}/two-per-image.js`, logger) }));
    for (let count = 0; count < 4; count += 1) await run();
    const answer = await api.post('/containers/create').send({ Image: 'busybox' }).expect(409);
    const { message } = answer.body as { readonly message: string };
    assert.match(message, /\[at most two containers of busybox\]/);
    assert.match(message, /\n {2}node-2: busybox runs twice on node-2 already$/);
    assert.match(
      (await api.post('/containers/create').send({ Image: 'busybox', Env: ['constraint:zone==x'] })).text,
      /zone==x/,
      'the built-in filters stay in use',
    );
  });

  it('orders as the example of the README says, and tells the score', async () => {
    const strategy = await loadStrategy(`${folder}/cheapest.js`, logger);
    const { api, run, engineOf } = bound(
      await startWith({ strategy }, [
        { labels: { price: '3' } },
        { labels: { price: '2' } },
        { labels: { price: '2' } },
      ]),
    );
    const ids = [await run(), await run()];
    assert.deepEqual(
      ids.map((id) => engineOf(id).name),
      ['node-2', 'node-2'],
    );
    const { Placement } = (await api.get(`/containers/${ids[0]!}/json`)).body as { readonly Placement: object };
    assert.deepEqual(Placement, {
      Node: 'node-2',
      Strategy: 'cheapest',
      Candidates: 3,
      Nodes: 3,
      Score: 2,
      Parts: { price: 2 },
      Ties: { name: 'node-2' },
    });
  });

  describe('is found', () => {
    const body = "{ name: 'mine', requirements: () => [] }";
    const cases: readonly (readonly [title: string, name: string, text: string])[] = [
      ['as the default export', 'default.mjs', `export default ${body};`],
      ['under its kind', 'named.mjs', `export const filter = ${body};`],
      ['in a CommonJS module', 'whole.cjs', `module.exports = ${body};`],
      ['under its kind in a CommonJS module', 'named.cjs', `exports.filter = ${body};`],
      ['as a class', 'class.mjs', `class F { name = 'mine'; requirements() { return []; } } export default new F();`],
    ];
    for (const [title, name, text] of cases) {
      it(title, async () => {
        assert.equal((await loadFilter(write(name, text), logger)).name, 'mine');
      });
    }

    it('by a path from the working directory and by a file URL', async () => {
      const path = write('mine.mjs', `export default ${body};`);
      const fromHere = relative(process.cwd(), path);
      assert.equal((await loadFilter(fromHere.startsWith('.') ? fromHere : `./${fromHere}`, logger)).name, 'mine');
      assert.equal((await loadFilter(pathToFileURL(path).href, logger)).name, 'mine');
    });
  });

  describe('that is none ends the manager with exit code 2 and one line', () => {
    const cases: readonly (readonly [title: string, name: string, text: string | undefined, says: RegExp])[] = [
      ['because the file is missing', 'absent.js', undefined, /Cannot find module/],
      ['because it does not parse', 'broken.mjs', 'export default {', /Unexpected/],
      ['because it throws', 'throwing.mjs', "throw new Error('no licence\\nat all');", /no licence$/],
      ['because it exports nothing', 'empty.mjs', '', /it exports none$/],
      [
        'because it exports something else',
        'other.mjs',
        'export default { name: "x", rank() {} };',
        /it exports none$/,
      ],
      [
        'because its name is built in',
        'health.mjs',
        'export default { name: "health", requirements() {} };',
        /built in$/,
      ],
    ];
    for (const [title, name, text, says] of cases) {
      it(title, async () => {
        if (text !== undefined) write(name, text);
        let err = '';
        const code = await runCommandLine(
          ['manage', '--filter', `${folder}/${name}`, 'nodes://127.0.0.1:1'],
          'test',
          {
            manage: (options) =>
              runManage(options, { version: 'test', out: () => undefined, stop: AbortSignal.abort() }),
            join: () => Promise.reject(new Error('not asked for')),
            list: () => Promise.reject(new Error('not asked for')),
            health: () => Promise.reject(new Error('not asked for')),
            ca: () => Promise.reject(new Error('not asked for')),
          },
          { env: {}, out: () => undefined, err: (line) => (err += line) },
        );
        assert.equal(code, 2, err);
        assert.match(err, /^shoal: --filter: .*\.m?js must .*\n$/);
        assert.match(err.trimEnd(), says);
      });
    }
  });

  describe('that misbehaves fails the create with its name and nothing else', () => {
    const requirement = (accepts: string): string =>
      `export default { name: 'bad', requirements: () => [{ description: 'd', soft: false, accepts: () => { ${accepts} } }] };`;
    const filters: readonly (readonly [title: string, text: string, says: RegExp])[] = [
      ['by throwing', "export default { name: 'bad', requirements() { throw new Error('oh no'); } };", /oh no/],
      ['by throwing at a node', requirement("throw 'a text'"), /a text/],
      ['by answering later', "export default { name: 'bad', async requirements() { return []; } };", /not a promise/],
      ['by no verdict', requirement(''), /accepts\(\) must return true or false, not undefined/],
      ['by a requirement that is none', "export default { name: 'bad', requirements: () => [{}] };", /description/],
      ['by an endless loop', requirement('for (;;);'), /did not return within 1000 ms/],
    ];
    for (const [title, text, says] of filters) {
      it(`a filter ${title}`, async () => {
        const filter = await loadFilter(write(`${title.replaceAll(' ', '-')}.mjs`, text), logger);
        const { api } = bound(await startWith({ filter }, 1));
        const answer = await api.post('/containers/create').send({ Image: 'busybox' }).expect(500);
        assert.match(answer.text, /filter \\"bad\\" \(.*\) failed: /);
        assert.match(answer.text, says);
        await api.get('/_ping').expect(200);
      });
    }

    const strategies: readonly (readonly [title: string, text: string, says: RegExp])[] = [
      ['by throwing', "export const strategy = { name: 'bad', rank() { throw new Error('oh no'); } };", /oh no/],
      [
        'by no list',
        "export const strategy = { name: 'bad', rank: () => undefined };",
        /an array at once, not undefined/,
      ],
      ['by an empty list', "export const strategy = { name: 'bad', rank: () => [] };", /at least one of the nodes/],
      ['by nodes of its own', "export const strategy = { name: 'bad', rank: () => [{}] };", /no others/],
      [
        'by a score that is none',
        "export const strategy = { name: 'bad', rank: (r, nodes) => nodes, score: () => 3 };",
        /parts/,
      ],
    ];
    for (const [title, text, says] of strategies) {
      it(`a strategy ${title}`, async () => {
        const strategy = await loadStrategy(write(`strategy-${title.replaceAll(' ', '-')}.mjs`, text), logger);
        const { api } = bound(await startWith({ strategy }, 1));
        const answer = await api.post('/containers/create').send({ Image: 'busybox' }).expect(500);
        assert.match(answer.text, /strategy \\"bad\\" \(.*\) failed: /);
        assert.match(answer.text, says);
      });
    }
  });

  it('that fails or is slow is told in the log, once for many times', async () => {
    const lines: string[] = [];
    const path = write(
      'slow.mjs',
      `export default { name: 'slow', requirements() { const end = Date.now() + 60; while (Date.now() < end); throw new Error('x'); } };`,
    );
    const filter = await loadFilter(path, recordingLogger(lines));
    const { api } = bound(await startWith({ filter }, 1));
    for (let count = 0; count < 3; count += 1)
      await api.post('/containers/create').send({ Image: 'busybox' }).expect(500);
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[0] ?? '', /^a plug-in failed .*slow\.mjs.*"times":1,"error":"x"/);
    assert.match(lines[1] ?? '', /^a plug-in is slow.*"ms":\d\d/);
  });

  it('stands among the built-in filters where it is named, and beside all of them when none is', () => {
    const filter = { name: 'mine', requirements: () => [] };
    const plugIns = new Map([['./mine.js', filter]]);
    const names = (chosen: readonly string[]): readonly string[] =>
      openFilters(chosen, { plugIns }).map(({ name }) => name);
    assert.deepEqual(names(['health', './mine.js', 'port']).slice(0, 4), ['health', 'mine', 'port', 'resources']);
    assert.deepEqual(names(['./mine.js']).slice(0, filterNames.length + 1), [...filterNames, 'mine']);
  });
});

/** The blocks of JavaScript in the README by the file name in their first line. */
function readmeExamples(): readonly (readonly [name: string, text: string])[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/```js\n(\/\/ ([\w-]+\.js):[^]*?)```/g)];
  return blocks.map(([, text = '', name = '']) => [name, text]);
}

/** The parts of a cluster that these tests use, free of their object. */
function bound(shoal: SimulatedCluster): Pick<SimulatedCluster, 'api' | 'run' | 'engineOf'> {
  return { api: shoal.api, run: (options) => shoal.run(options), engineOf: (id) => shoal.engineOf(id) };
}
