// The same scripts played against plain engines and against managers: whatever differs is in the allow-list, and
// whatever the allow-list holds does differ.
import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { routes } from '../../src/api/routes.ts';
import { judge, type Verdict } from '../support/conformance/allow-list.ts';
import { compareWithEngines, type Comparison } from '../support/conformance/run.ts';

describe('a manager beside a plain engine', () => {
  let comparison: Comparison;
  let verdict: Verdict;

  before(async function () {
    this.timeout(300_000);
    comparison = await compareWithEngines();
    verdict = judge(comparison.differences);
  });

  it('answers as the engine does, but for the differences that are known', () => {
    const lines = verdict.unknown.map(
      ({ against, title, at, engine, manager }) =>
        `${against}, ${title}: ${at}\n    engine:  ${engine}\n    manager: ${manager}`,
    );
    assert.equal(lines.length, 0, `${lines.length} unknown differences:\n  ${lines.slice(0, 50).join('\n  ')}`);
  });

  it('shows every difference that is known', () => {
    assert.deepEqual(verdict.unused, []);
  });

  it('was asked for every route of the API', () => {
    const missed = routes
      .map(({ method, pattern }) => `${method} ${pattern}`)
      .filter((route) => !comparison.routes.has(route));
    assert.deepEqual(missed, []);
  });
});
