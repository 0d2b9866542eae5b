import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openState } from '../../../../discovery/open-state.ts';
import { openLocalState, type LocalState } from '../../../../discovery/state/local.ts';
import { StateConflict, type StateFolder } from '../../../../discovery/state-store.ts';
import { createSilentLogger } from '../../../../src/common/logger.ts';

const logger = createSilentLogger();
const place = { folder: 'nodes', key: 'ID:1|10.0.0.1:2375' };

describe('state that is kept by one manager', () => {
  let directory: string;
  let path: string;
  let state: LocalState;

  beforeEach(() => {
    directory = mkdtempSync(`${tmpdir()}/shoal-state-`);
    path = `${directory}/state`;
    state = openLocalState({ logger, path });
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  async function texts(from = state): Promise<readonly string[]> {
    return [...(await from.read('nodes')).documents.values()].map(({ text }) => text);
  }

  it('is there again when the file is opened anew', async () => {
    const version = await state.write(place, { text: 'drained', seenVersion: 0 });
    const again = openLocalState({ logger, path });
    assert.deepEqual((await again.read('nodes')).documents, new Map([[place.key, { text: 'drained', version }]]));
    assert.ok((await again.write(place, { text: 'active', seenVersion: version })) > version);
  });

  it('refuses a change that was not made from the newest version', async () => {
    const version = await state.write(place, { text: 'a', seenVersion: 0 });
    await assert.rejects(state.write(place, { text: 'b', seenVersion: 0 }), StateConflict);
    await assert.rejects(state.remove(place, version - 1), StateConflict);
    assert.deepEqual(await texts(), ['a']);
    await state.remove(place, version);
    await state.remove(place, version);
    assert.deepEqual(await texts(), []);
  });

  it('lets one of two changes at once through', async () => {
    const changes = ['a', 'b'].map((text) => state.write(place, { text, seenVersion: 0 }));
    const settled = await Promise.allSettled(changes);
    assert.deepEqual(settled.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.deepEqual(await texts(), ['a']);
  });

  it('counts nothing that the file could not take', async () => {
    const lost = openLocalState({ logger, path: `${directory}/absent/state` });
    await assert.rejects(lost.write(place, { text: 'a', seenVersion: 0 }));
    assert.deepEqual(await texts(lost), []);
  });

  it('tells those who watch a folder of each change of it', async () => {
    const abort = new AbortController();
    const seen: StateFolder[] = [];
    const writes: Promise<unknown>[] = [];
    for await (const folder of state.watch('nodes', abort.signal)) {
      seen.push(folder);
      if (seen.length === 2) abort.abort();
      else await state.write({ folder: 'other', key: 'x' }, { text: 'x', seenVersion: 0 });
      if (seen.length === 1) writes.push(state.write(place, { text: 'a', seenVersion: 0 }));
    }
    await Promise.all(writes);
    assert.deepEqual(
      seen.map(({ documents }) => documents.size),
      [0, 1],
    );
  });

  it('is not begun anew over a file that cannot be read', () => {
    writeFileSync(path, '{"version": 1, "folders": {"nodes": {"x": 3}}}');
    assert.throws(() => openLocalState({ logger, path }), /^ApiError: the state file .* cannot be read/);
  });

  it('lies beside the file of an embedded registry', async () => {
    const registryFile = `${directory}/members`;
    const { state: beside } = openState({
      discovery: undefined,
      discoveryOpts: {},
      stateFile: undefined,
      registryFile,
      logger,
    });
    await beside.write(place, { text: 'a', seenVersion: 0 }, new AbortController().signal);
    assert.match(readFileSync(`${registryFile}.state`, 'utf8'), /ID:1\|10\.0\.0\.1:2375/);
  });

  it('takes a text that nobody else writes over whatever is there, and drops it', async () => {
    const state = openLocalState({ logger, path });
    await state.put(place, 'a');
    await state.put(place, 'b');
    assert.equal((await openLocalState({ logger, path }).read(place.folder)).documents.get(place.key)?.text, 'b');
    await state.drop(place);
    await state.drop(place);
    assert.equal((await openLocalState({ logger, path }).read(place.folder)).documents.size, 0);
  });

  for (const [discovery, stateFile, name, creates] of [
    ['consul://127.0.0.1:8500/x', undefined, 'consul', 'consul'],
    ['consul://127.0.0.1:8500/x', '/tmp/absent-state', 'local', 'consul'],
    ['etcd://127.0.0.1:2379/x', undefined, 'etcd', 'etcd'],
    ['zk://127.0.0.1:2181/x', undefined, 'zookeeper', 'zookeeper'],
    ['nodes://a:1', '/tmp/absent-state', 'local', 'local'],
    ['nodes://a:1', undefined, 'local', undefined],
    [undefined, undefined, 'local', undefined],
  ] as const) {
    it(`is kept in ${name} for ${discovery ?? 'no discovery'} ${stateFile === undefined ? '' : 'and a state file'}`, () => {
      const opened = openState({ discovery, discoveryOpts: {}, stateFile, registryFile: undefined, logger });
      assert.deepEqual([opened.state.name, opened.creates?.name], [name, creates]);
    });
  }
});
