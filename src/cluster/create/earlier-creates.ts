// What managers before this one left under way when they ended: until it is certain whether a container came of it, its
// name and its key stay taken. What the engines show already needs nothing of this.
import { sleep } from '../../common/abort.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Engine } from '../../engine/engine.ts';
import { generationOf, type ContainerIndex } from '../index/container-index.ts';
import type { ContainerNames } from '../names/names.ts';
import type { CreateIntent } from './create-intent.ts';
import { createdContainer } from './unsettled-creates.ts';

export interface EarlierCreatesOptions {
  readonly containers: ContainerIndex;
  readonly names: ContainerNames;
  /** Answers 503 to that key until the result is called. */
  readonly holdKey: (key: string, name: string) => () => void;
  readonly engineAt: (address: string) => Engine | undefined;
  /** As `createDoubtMs`; so long a node is awaited too that is no member yet. */
  readonly doubtMs: number;
  readonly tasks: TaskSet;
}

/** Holds at once; resolves when nothing is held any more. */
export async function settleEarlierCreates(
  intents: readonly CreateIntent[],
  options: EarlierCreatesOptions,
): Promise<void> {
  await Promise.all(intents.map((intent) => settleOne(intent, options)));
}

async function settleOne(intent: CreateIntent, options: EarlierCreatesOptions): Promise<void> {
  const { containers, names, holdKey, doubtMs, tasks } = options;
  const { swarmId, generation, name, key } = intent;
  const isShown = containers
    .withSwarmId(swarmId)
    .some(({ engine, record }) => engine.address === intent.address && generationOf(record) === Number(generation));
  if (isShown) return;
  const release = [names.hold(name, swarmId), holdKey(key, name)];
  try {
    const engine = await memberAt(intent.address, options);
    if (engine !== undefined) await createdContainer({ engine, swarmId, generation, doubtMs }, tasks.signal);
  } finally {
    for (const end of release) end();
  }
}

async function memberAt(
  address: string,
  { engineAt, doubtMs, tasks: { signal } }: EarlierCreatesOptions,
): Promise<Engine | undefined> {
  const untilMs = performance.now() + doubtMs;
  for (;;) {
    const engine = engineAt(address);
    if (engine !== undefined || signal.aborted || performance.now() >= untilMs) return engine;
    await sleep(memberPollMs, signal);
  }
}

const memberPollMs = 200;
