import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { routes } from '../../../src/api/routes.ts';
import { judge } from '../../support/conformance/allow-list.ts';
import { allowedPlaces } from '../../support/conformance/allowed-places.ts';
import { judgeLines } from '../../support/conformance/cli/allowed-lines.ts';
import type { FoundLine } from '../../support/conformance/cli/found-line.ts';
import { shortPlan } from '../../support/conformance/cli/run-scenes.ts';
import { scenes } from '../../support/conformance/cli/scenes.ts';
import { differentLines, transcriptOf } from '../../support/conformance/cli/transcript.ts';
import { differencesBetween, shapeDifferences } from '../../support/conformance/differences.ts';
import type { Exchange, Played } from '../../support/conformance/exchange.ts';
import { differenceRows } from '../../support/conformance/known-differences.ts';
import { routeOf } from '../../support/conformance/play.ts';
import { readAnswer, type ReadAnswer } from '../../support/conformance/read-answer.ts';
import type { FoundDifference } from '../../support/conformance/run.ts';
import { allScenarios } from '../../support/conformance/scripts.ts';

const names = { hostName: 'node-9', address: '192.0.2.9:2375' };

describe('the scripts of the conformance run', () => {
  // Any file stands in for the archive: nothing is sent.
  const exchanges = allScenarios(fileURLToPath(import.meta.url)).flatMap((scenario) =>
    scenario.exchanges.flatMap(flat),
  );

  it('hold at least 300 exchanges', () => {
    assert.ok(exchanges.length >= 300, String(exchanges.length));
  });

  it('ask for every route of the API', () => {
    const asked = new Set(exchanges.map(routeOf));
    const missed = routes.map(({ method, pattern }) => `${method} ${pattern}`).filter((route) => !asked.has(route));
    assert.deepEqual(missed, []);
  });
});

describe('the differences from one dockerd', () => {
  it('stand in the README as they are known', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const section = /## Differences from one dockerd\n+([^]*?)\n## /.exec(readme)?.[1] ?? '';
    const rows = section
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |\|$/g, '').trim()));
    assert.deepEqual(rows, differenceRows());
  });
});

describe('the allow-list', () => {
  const found: FoundDifference = {
    ...{ against: '28.5', version: '1.51', scenario: 'lists', title: 'lists 0', route: 'GET /info' },
    ...{ at: 'body/Name', engine: '"a"', manager: '"b"' },
  };
  const place = { why: 'identity', scenario: '*', route: 'GET /info', at: 'body/Name' } as const;

  it('names no place twice', () => {
    const texts = allowedPlaces.map((one) => JSON.stringify(one));
    assert.equal(new Set(texts).size, texts.length);
  });

  for (const { title, allowed, isAllowed } of [
    { title: 'the place itself', allowed: place, isAllowed: true },
    { title: 'what begins alike', allowed: { ...place, at: 'body/*' }, isAllowed: true },
    { title: 'all routes', allowed: { ...place, route: '*' }, isAllowed: true },
    { title: 'another scenario', allowed: { ...place, scenario: 'events' }, isAllowed: false },
    { title: 'another route', allowed: { ...place, route: 'GET /version' }, isAllowed: false },
    { title: 'a longer path', allowed: { ...place, at: 'body/Name/x' }, isAllowed: false },
  ]) {
    it(`${isAllowed ? 'allows' : 'does not allow'} a difference by an entry for ${title}`, () => {
      assert.deepEqual(judge([found], [allowed]), {
        unknown: isAllowed ? [] : [found],
        unused: isAllowed ? [] : [allowed],
      });
    });
  }

  it('allows on several releases alone what is said of them, and does not ask for it', () => {
    const mixed = { ...place, only: 'mixed' } as const;
    assert.deepEqual(judge([found], [mixed]), { unknown: [found], unused: [] });
    assert.deepEqual(judge([{ ...found, against: 'mixed' }], [mixed]), { unknown: [], unused: [] });
  });
});

describe('two answers', () => {
  const cases: readonly (readonly [string, string, string, string, readonly string[]])[] = [
    [
      'ids and times',
      'application/json',
      `{"Id":"${'a'.repeat(64)}","Created":1}`,
      `{"Id":"${'b'.repeat(64)}","Created":2}`,
      [],
    ],
    ['a value', 'application/json', '{"A":{"B":1}}', '{"A":{"B":2}}', ['body/A/B']],
    ['a type', 'application/json', '{"A":1}', '{"A":"1"}', ['body/A']],
    ['an absent field', 'application/json', '[{"A":1}]', '[{}]', ['body/[]/A']],
    ['the length of a list', 'application/json', '[{"A":1}]', '[]', ['body/length']],
    ['how frames are cut', 'application/vnd.docker.raw-stream', frames('a', 'b'), frames('ab'), []],
    ['what a stream says', 'application/vnd.docker.raw-stream', frames('a'), frames('b'), ['body/stream 1']],
  ];
  for (const [title, type, engine, manager, expected] of cases) {
    it(`that differ in ${title} differ in ${expected.length === 0 ? 'nothing' : expected.join()}`, () => {
      assert.deepEqual(
        differencesBetween(read(type, engine), read(type, manager)).map(({ at }) => at),
        expected,
      );
    });
  }

  it('of one shape differ in nothing but their status', () => {
    const [one, other] = [read('application/json', '{"A":1}'), read('application/json', '{"B":[]}')];
    assert.deepEqual(shapeDifferences(one, other), []);
    assert.deepEqual(
      shapeDifferences(one, { ...other, status: 404 }).map(({ at }) => at),
      ['status'],
    );
  });
});

function flat(exchange: Exchange): Exchange[] {
  return [exchange, ...(exchange.during ?? []).flatMap(flat)];
}

function read(type: string, body: string): ReadAnswer {
  const headers = { 'content-type': type };
  const answer = { status: 200, headers, body: Buffer.from(body, 'latin1'), end: 'ended' } as const;
  const played: Played = { scenario: 's', title: 's 0', route: 'GET /x', version: '1.51', order: 'fixed', answer };
  return readAnswer(played, names);
}

function frames(...texts: readonly string[]): string {
  return texts.map((text) => `\x01\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`).join('');
}

describe('the scenes of stock clients', () => {
  it('hold at least 300 commands, each scene with a name of its own', () => {
    const commands = scenes.flatMap((scene) => scene.commands);
    assert.ok(commands.length >= 300, String(commands.length));
    assert.equal(new Set(scenes.map(({ name }) => name)).size, scenes.length);
  });

  it('are each played in a short run', () => {
    assert.deepEqual(new Set(shortPlan.flatMap((play) => play.scenes)), new Set(scenes));
  });

  for (const { title, engine, manager, expected } of [
    { title: 'nothing between equal transcripts', engine: ['a', 'b'], manager: ['a', 'b'], expected: [] },
    { title: 'a line that one alone has', engine: ['a', 'b'], manager: ['a'], expected: ['engine b'] },
    {
      title: 'a line in place of another',
      engine: ['a', 'b', 'c'],
      manager: ['a', 'x', 'c'],
      expected: ['engine b', 'manager x'],
    },
    { title: 'lines in another order', engine: ['a', 'b'], manager: ['b', 'a'], expected: ['engine a', 'manager a'] },
  ]) {
    it(`find ${title}`, () => {
      assert.deepEqual(
        differentLines(engine, manager).map(({ side, line }) => `${side} ${line}`),
        expected,
      );
    });
  }

  it('show what was printed without ids, moments and widths', () => {
    const stdout = `${'0f'.repeat(32)}   node-3   2026-11-21 15:00:00 +0000 UTC\nx\n`;
    assert.deepEqual(transcriptOf({ code: 3, stdout, stderr: 'at 10.83.0.11:2375\n' }), [
      'out: <id>  <node>  <time>',
      'out: x',
      'err: at <host address>:2375',
      'code: 3',
    ]);
  });

  it('allow a line by the scene, the command and the line together', () => {
    const entry = { why: 'identity', scene: 'idle host', command: /^docker info$/, line: /^out: Name:/ } as const;
    const found: FoundLine = {
      ...{
        cluster: '28.5',
        cli: 'path',
        scene: 'idle host',
        command: 'docker info',
        side: 'engine',
        line: 'out: Name: a',
      },
    };
    assert.deepEqual(judgeLines([found], [entry]), { unknown: [], unused: [] });
    for (const other of [{ scene: 'run' }, { command: 'docker ps' }, { line: 'err: Name: a' }]) {
      const different = { ...found, ...other };
      assert.deepEqual(judgeLines([different], [entry]), { unknown: [different], unused: [entry] });
    }
    assert.deepEqual(judgeLines([], [{ ...entry, why: 'chance' }]), { unknown: [], unused: [] });
  });
});
