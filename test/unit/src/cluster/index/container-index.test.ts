import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Identities } from '../../../../../src/cluster/nodes/identity.ts';
import { ContainerIndex } from '../../../../../src/cluster/index/container-index.ts';
import { ApiError } from '../../../../../src/common/errors.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import { Engine } from '../../../../../src/engine/engine.ts';
import type { ContainerRecord } from '../../../../../src/engine/mirror.ts';

describe('ContainerIndex', () => {
  const one = newEngine('10.0.0.1:2375');
  const two = newEngine('10.0.0.2:2375');

  function newIndex(records: readonly (readonly [Engine, ContainerRecord])[]): ContainerIndex {
    const identities = new Identities();
    identities.update(one);
    identities.update(two);
    const index = new ContainerIndex(identities);
    for (const [engine, record] of records) index.replace(engine, undefined, record);
    return index;
  }

  it('finds a container by everything a user may write', () => {
    const web = record('abc1', 'web', { 'com.docker.swarm.id': 'swarm1' });
    const index = newIndex([
      [one, web],
      [two, record('abd2', 'db')],
    ]);
    const references = [
      'abc1'.padEnd(64, '0'),
      'abc',
      'web',
      '/web',
      '10.0.0.1:2375/web',
      '10.0.0.1:2375/abc1',
      'swarm1',
    ];
    for (const reference of references) assert.equal(index.find(reference)?.record, web, reference);
    for (const reference of ['', '/', 'nope', '10.0.0.2:2375/web', 'absent/web', 'we', 'swarm']) {
      assert.equal(index.find(reference), undefined, reference);
    }
  });

  it('prefers a name to the beginning of an id', () => {
    const named = record('1111', 'abc');
    const index = newIndex([
      [one, record('abc2', 'x1')],
      [one, named],
    ]);
    assert.equal(index.resolve('abc').record, named);
  });

  it('answers as an engine does when nothing or too much is found', () => {
    const index = newIndex([
      [one, record('abc1', 'web')],
      [two, record('abc2', 'web')],
    ]);
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ['nope', 404, /^No such container: nope$/],
      ['abc', 400, /^multiple IDs found with provided prefix: abc$/],
      ['web', 409, /10\.0\.0\.1:2375\/web, 10\.0\.0\.2:2375\/web$/],
    ];
    for (const [reference, status, message] of cases) {
      assert.throws(
        () => index.resolve(reference),
        (error) => error instanceof ApiError && error.status === status && message.test(error.message),
        reference,
      );
    }
  });

  it('takes the copy of the highest generation while a stale one is still there', () => {
    const labels = { 'com.docker.swarm.id': 's' };
    const current = record('b', 'web', { ...labels, 'com.docker.swarm.generation': '2' });
    const index = newIndex([
      [one, record('a', 'web', { ...labels, 'com.docker.swarm.generation': '1' })],
      [two, current],
    ]);
    assert.equal(index.resolve('web').record, current);
    assert.equal(index.resolve('s').record, current);
  });

  it('shows one of two while a container that could not be started is made anew elsewhere', () => {
    const first = record('a', 'web', { 'com.docker.swarm.id': 's' }, 'created');
    const second = (state: string): ContainerRecord => record('b', 'web', { 'com.docker.swarm.id': first.id }, state);
    const index = newIndex([[one, first]]);
    const assertShown = (id: string): void => {
      assert.deepEqual(
        [...index.all()].map((location) => location.record.id),
        [id],
      );
      assert.deepEqual(
        index
          .newestFirst()
          .flat()
          .map((location) => location.record.id),
        [id],
      );
      for (const reference of ['web', first.id]) assert.equal(index.resolve(reference).record.id, id, reference);
    };
    index.replace(two, undefined, second('created'));
    assertShown(first.id);
    index.replace(two, second('created'), undefined);
    assertShown(first.id);
    index.replace(two, undefined, second('created'));
    index.replace(one, first, first);
    index.replace(two, second('created'), second('running'));
    assertShown(second('').id);
    index.replace(one, first, first);
    assertShown(second('').id);
    assert.equal(index.resolve(first.id.slice(0, 12)).record.id, second('').id);
    index.replace(one, first, undefined);
    assertShown(second('').id);
    index.removeEngine(two);
    assert.deepEqual(index.newestFirst().flat(), []);
  });

  it('shows the first one again when the engine of the second leaves, and both when both were started', () => {
    const first = record('a', 'web', {}, 'created');
    const second = record('b', 'web', { 'com.docker.swarm.id': first.id }, 'running');
    const index = newIndex([
      [two, second],
      [one, first],
    ]);
    assert.equal(index.resolve('web').record, second);
    index.removeEngine(two);
    assert.equal(index.resolve('web').record, first);
    index.replace(two, undefined, second);
    index.replace(one, first, record('a', 'web', {}, 'exited'));
    assert.equal([...index.all()].length, 2);
  });

  it('shows one copy of a name while a container leaves its node, and both once the older one is called differently', () => {
    const copy = (idStart: string, generation: number, state: string, name = 'web'): ContainerRecord =>
      record(idStart, name, { 'com.docker.swarm.id': 's', 'com.docker.swarm.generation': String(generation) }, state);
    const old = copy('a', 0, 'running');
    const index = newIndex([[one, old]]);
    const shown = (): readonly string[] =>
      [...index.all()].map(({ record: { id, name } }) => `${id.charAt(0)} ${name}`).sort();
    index.replace(two, undefined, copy('b', 1, 'created'));
    assert.deepEqual(shown(), ['a web']);
    index.replace(two, copy('b', 1, 'created'), copy('b', 1, 'running'));
    assert.deepEqual(shown(), ['b web']);
    index.replace(two, copy('b', 1, 'running'), copy('b', 1, 'exited'));
    assert.deepEqual(shown(), ['b web']);
    assert.equal(index.resolve(old.id).record, old);
    index.replace(one, old, copy('a', 0, 'exited', 'web.stale-one'));
    assert.deepEqual(shown(), ['a web.stale-one', 'b web']);
  });

  it('forgets the old name of a replaced record and everything of an engine that left', () => {
    const before = record('abc1', 'web');
    const after = record('abc1', 'shop');
    const index = newIndex([[one, before]]);
    index.replace(one, before, after);
    assert.equal(index.find('web'), undefined);
    assert.equal(index.find('shop')?.record, after);
    index.removeEngine(one);
    assert.equal(index.find('shop'), undefined);
    assert.equal(index.find('abc'), undefined);
    assert.deepEqual([...index.all()], []);
  });
});

function newEngine(address: string): Engine {
  return new Engine({ address, logger: createSilentLogger() });
}

function record(
  idStart: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  state = 'running',
): ContainerRecord {
  const id = idStart.padEnd(64, '0');
  const row = {
    ...{ Id: id, Names: [`/${name}`], Image: 'busybox', ImageID: 'sha256:1' },
    ...{ Created: 1, State: state, Labels: labels },
  };
  return { id, name, row, details: undefined };
}
