import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { allowedRows } from '../../support/corpus/allow-list.ts';
import { differencesBetween, isAt } from '../../support/corpus/compare.ts';
import { corpusDirectory, corpusProjects } from '../../support/corpus/projects.ts';

describe('the corpus of Compose files', () => {
  it('has at least twenty projects, each with its file', () => {
    const projects = corpusProjects();
    assert.ok(projects.length >= 20);
    for (const { name } of projects) assert.ok(existsSync(`${corpusDirectory}/${name}/compose.yaml`), name);
  });

  it('needs no image but busybox, and publishes no port twice', () => {
    const texts = corpusProjects().map(({ name }) => readFileSync(`${corpusDirectory}/${name}/compose.yaml`, 'utf8'));
    const images = texts.flatMap((text) => [...text.matchAll(/^ +image: (\S+)/gm)].map(([, image]) => image));
    assert.deepEqual([...new Set(images)].sort(), ['${IMAGE}:${TAG:-latest}', 'busybox', 'corpus-build-job']);
    const published = texts.flatMap((text) => [...new Set(text.match(/\b18\d{3}\b/g) ?? [])]);
    assert.ok(published.length > 0);
    assert.equal(new Set(published).size, published.length);
  });
});

describe('the differences of Compose projects', () => {
  it('stand in the README as the allow-list has them', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const section = /### Compose projects\n+([^]*?)\n#/.exec(readme)?.[1] ?? '';
    const rows = section
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |\|$/g, '').trim()));
    assert.deepEqual(rows, allowedRows());
  });

  it('are named by the way to them', () => {
    const engine = { states: { web: { exitCode: 0 }, db: 'gone' }, names: ['a'] };
    const manager = { states: { web: { exitCode: 1 } }, names: ['a', 'b'] };
    assert.deepEqual(differencesBetween('up', engine, manager), [
      { at: 'up > states > web > exitCode', engine: '0', manager: '1' },
      { at: 'up > states > db', engine: '"gone"', manager: 'absent' },
      { at: 'up > names', engine: '["a"]', manager: '["a","b"]' },
    ]);
  });

  for (const { place, pattern, expected } of [
    { place: 'up > web > ports', pattern: 'up > web > ports', expected: true },
    { place: 'up > web > ports', pattern: '* > * > ports', expected: true },
    { place: 'up > web > ports', pattern: '* > ports', expected: false },
    { place: 'up > web > ports', pattern: 'up > **', expected: true },
    { place: 'up', pattern: 'up > **', expected: false },
    { place: 'up > web > ports', pattern: 'down > **', expected: false },
  ]) {
    it(`are ${expected ? '' : 'not '}allowed at ${place} by ${pattern}`, () => {
      assert.equal(isAt(place, pattern), expected);
    });
  }
});
