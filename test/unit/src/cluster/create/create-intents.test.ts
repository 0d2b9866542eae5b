import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openLocalState, type LocalState } from '../../../../../discovery/state/local.ts';
import type { StatePlace } from '../../../../../discovery/state-store.ts';
import { parseIntents, type CreateIntent } from '../../../../../src/cluster/create/create-intent.ts';
import { CreateIntents, type CreateIntentsOptions } from '../../../../../src/cluster/create/create-intents.ts';
import { withResolvers } from '../../../../../src/common/abort.ts';
import { TaskSet } from '../../../../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import { until } from '../../../../support/until.ts';

const logger = createSilentLogger();

function anIntent(name: string): CreateIntent {
  return { swarmId: `id-of-${name}`, generation: '', name, key: '', address: '10.0.0.1:2375' };
}

describe('creates that are told to the store', () => {
  let store: LocalState;
  let tasks: TaskSet;
  let puts: number;

  beforeEach(() => {
    tasks = new TaskSet(logger);
    store = openLocalState({ logger });
    puts = 0;
    const put = store.put.bind(store);
    store.put = async (place: StatePlace, text: string): Promise<void> => {
      puts += 1;
      await put(place, text);
    };
  });

  afterEach(() => tasks.stop());

  function manager(options: Partial<CreateIntentsOptions> = {}): CreateIntents {
    const adopt = (): Promise<void> => Promise.resolve();
    return new CreateIntents({ store, term: () => 0, isShared: false, adopt, tasks, logger, ...options });
  }

  async function told(): Promise<readonly string[]> {
    const { documents } = await store.read('creates');
    return [...documents.values()].flatMap(({ text }) => parseIntents(text).map(({ name }) => name));
  }

  it('are there when an engine may be told, many with one writing, and gone a moment after they are over', async () => {
    const intents = manager();
    await intents.ready();
    const names = Array.from({ length: 50 }, (_, index) => `web-${index}`);
    await Promise.all(names.map((name) => intents.open(anIntent(name))));
    assert.deepEqual(await told(), names);
    assert.ok(puts <= 2, `${puts} writings`);
    for (const name of names) intents.close(`id-of-${name}`);
    await until('the store is empty', async () => (await store.read('creates')).documents.size === 0);
  });

  it('are held by the next manager, which forgets them once they are settled', async () => {
    const first = manager();
    await first.ready();
    await first.open(anIntent('web'));
    const { promise, resolve } = withResolvers<undefined>();
    const held: string[] = [];
    const second = manager({
      adopt: async (left) => {
        held.push(...left.map(({ name }) => name));
        await promise;
      },
    });
    await second.ready();
    assert.deepEqual(held, ['web']);
    assert.deepEqual(await told(), ['web']);
    resolve(undefined);
    await until('it is forgotten', async () => (await told()).length === 0);
  });

  it('are read anew when another manager was the primary meanwhile, and none under way goes on', async () => {
    let term = 1;
    const held: string[] = [];
    const adopt = (left: readonly CreateIntent[]): Promise<void> => {
      held.push(...left.map(({ name }) => name));
      return Promise.resolve();
    };
    const first = manager({ term: () => term, isShared: true, adopt });
    await first.ready();
    const second = manager({ term: () => 2, isShared: true });
    await second.ready();
    await second.open(anIntent('web'));
    term = 3;
    await assert.rejects(first.open(anIntent('db')), { status: 503 });
    await first.ready();
    assert.deepEqual(held, ['web']);
    await first.open(anIntent('db'));
  });

  it('are refused by several managers whose store does not answer, and go on where there is one', async () => {
    const silent = (): Promise<never> => Promise.reject(new Error('no leader'));
    store.put = silent;
    const several = manager({ isShared: true });
    await several.ready();
    await assert.rejects(several.open(anIntent('web')), { status: 503 });
    const alone = manager();
    await alone.ready();
    await alone.open(anIntent('web'));
    store.read = silent;
    await assert.rejects(manager({ isShared: true }).ready(), { status: 503 });
    await manager().ready();
  });
});
