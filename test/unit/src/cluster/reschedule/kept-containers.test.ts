import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { openLocalState } from '../../../../../discovery/state/local.ts';
import type { KeptContainer } from '../../../../../src/cluster/reschedule/kept-container.ts';
import { KeptContainers } from '../../../../../src/cluster/reschedule/kept-containers.ts';
import { TaskSet } from '../../../../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import { aKeptContainer } from './a-kept-container.ts';

const logger = createSilentLogger();

function aKept(swarmId: string, name = 'web'): KeptContainer {
  return aKeptContainer({ swarmId, name });
}

describe('what containers are made from', () => {
  const tasks = new TaskSet(logger);
  const { signal } = new AbortController();
  const store = openLocalState({ logger });
  let isPrimary = true;

  afterEach(() => {
    isPrimary = true;
  });

  function open(): KeptContainers {
    return new KeptContainers({ store, tasks, logger, mayWrite: () => isPrimary });
  }

  async function names(): Promise<readonly string[]> {
    const other = open();
    await other.load(signal);
    return [...other.all()].map(({ name }) => name).sort();
  }

  it('is in the store once it is flushed, and gone once it is deleted', async () => {
    const kept = open();
    kept.set(aKept('s1'));
    kept.set(aKept('s1', 'renamed'));
    kept.set(aKept('s2', 'db'));
    await kept.flush(signal);
    assert.deepEqual(await names(), ['db', 'renamed']);
    kept.delete('s1');
    kept.delete('s2');
    await kept.flush(signal);
    assert.deepEqual(await names(), []);
  });

  it('is written though an earlier manager wrote it last', async () => {
    const [first, second] = [open(), open()];
    first.set(aKept('s1', 'old'));
    await first.flush(signal);
    second.set(aKept('s1', 'new'));
    await second.flush(signal);
    assert.deepEqual(await names(), ['new']);
    second.delete('s1');
    await second.flush(signal);
  });

  it('is not written by a manager that is not the primary, who is told so', async () => {
    const kept = open();
    isPrimary = false;
    kept.set(aKept('s1'));
    await assert.rejects(kept.flush(signal), /another manager is the primary/);
    assert.deepEqual(await names(), []);
  });

  it('ends the wait of those who give up', async () => {
    const kept = open();
    kept.set(aKept('s1'));
    await assert.rejects(kept.flush(AbortSignal.abort(new Error('given up'))), /given up/);
    await kept.flush(signal);
    await tasks.stop();
  });
});
