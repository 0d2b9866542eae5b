// Endpoints that a user has removed by force while their node did not answer: they count as gone at once, and the
// engine hears of it when it is back. A manager that ends before that forgets them, and the user has to ask again.
import { errorMessage } from '../common/errors.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import type { NetworkRow } from '../docker/types.ts';
import { readForCertain } from './engine-word.ts';
import type { ContainerLocation } from './locations.ts';

export class LateDisconnects {
  readonly #tasks: TaskSet;
  readonly #logger: Logger;
  readonly #pending = new Set<string>();

  constructor(tasks: TaskSet, logger: Logger) {
    this.#tasks = tasks;
    this.#logger = logger;
  }

  has(containerId: string, networkId: string): boolean {
    return this.#pending.has(`${containerId} ${networkId}`);
  }

  add(location: ContainerLocation, network: NetworkRow): void {
    const key = `${location.record.id} ${network.Id}`;
    if (this.#pending.has(key)) return;
    this.#pending.add(key);
    this.#tasks.spawn('disconnect a container', async (signal) => {
      try {
        await disconnectWhenBack(location, network, signal);
      } catch (error) {
        const facts = { container: location.record.id, network: network.Name, error: errorMessage(error) };
        this.#logger.warn('a container could not be disconnected from a network', facts);
      } finally {
        this.#pending.delete(key);
      }
    });
  }
}

async function disconnectWhenBack(
  { engine, record }: ContainerLocation,
  { Id, Name }: NetworkRow,
  signal: AbortSignal,
): Promise<void> {
  await readForCertain(engine, record.id, signal);
  if (signal.aborted || !engine.mirror.containers.has(record.id)) return;
  await engine.client.request({
    method: 'POST',
    path: `/networks/${encodeURIComponent(engine.mirror.networks.has(Id) ? Id : Name)}/disconnect`,
    body: { Container: record.id, Force: true },
    signal,
  });
  await engine.refreshContainer(record.id, signal);
}
