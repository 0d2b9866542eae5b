// Services of containers in Consul, beside the service of their engine on one server. They are vouched for by an alias of
// the engine's own check, so that a node costs one heartbeat however many containers it has; a second check mirrors the
// container, and is written only when that changes.
import type { PublishedService } from '../backend.ts';
import { splitAnswer } from './answer.ts';
import { refusalStatus, type CallOptions, type ConsulServer } from './connection.ts';

export interface ConsulServicesOptions {
  readonly server: ConsulServer;
  /** The id of the engine's service, which must be registered on the same server. */
  readonly engineId: string;
  readonly call: ConsulCall;
}

export type ConsulCall = (signal: AbortSignal, request: (call: CallOptions) => Promise<unknown>) => Promise<unknown>;

/** What Consul has forgotten, or an earlier agent has left, is found within this time. */
const relistMs = 60_000;
/** A node that does not come back leaves nothing behind; one that does registers its containers anew. */
const forgetAfter = '10m';
/** The agent tells of changes, and nothing is to lapse between them. */
const forEver = '87600h';

export class ConsulServices {
  readonly #options: ConsulServicesOptions;
  /** What stands in Consul, by id; undefined: something that an earlier agent has written. */
  readonly #known = new Map<string, PublishedService | undefined>();
  #listedAtMs = -Infinity;

  constructor(options: ConsulServicesOptions) {
    this.#options = options;
  }

  /** Makes exactly `services` stand there. Rejects at the first failure: to be called again. */
  async publish(services: readonly PublishedService[], signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#listedAtMs >= relistMs) await this.#list(signal);
    const wanted = new Map(services.map((service) => [`${this.#options.engineId}-${service.id}`, service]));
    for (const id of [...this.#known.keys()]) if (!wanted.has(id)) await this.#remove(id, signal);
    for (const [id, service] of wanted) await this.#keep(id, service, signal);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { engineId, server, call } = this.#options;
    const filter = `Meta.engine == ${JSON.stringify(engineId)}`;
    const answer = await call(signal, (options) => server.client.agent.service.list({ ...options, ...{ filter } }));
    const { body } = splitAnswer(answer);
    const ids = new Set(typeof body === 'object' && body !== null ? Object.keys(body) : []);
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    for (const id of ids) if (!this.#known.has(id)) this.#known.set(id, undefined);
    this.#listedAtMs = performance.now();
  }

  async #keep(id: string, service: PublishedService, signal: AbortSignal): Promise<void> {
    const known = this.#known.get(id);
    const isSameService = known !== undefined && definitionOf(known) === definitionOf(service);
    if (isSameService && known.trouble === service.trouble) return;
    // Whatever goes wrong on the way, nothing is known any more.
    this.#known.set(id, undefined);
    if (!isSameService) await this.#register(id, service, signal);
    await this.#mirror(id, service, signal);
    this.#known.set(id, service);
  }

  async #register(
    id: string,
    { name, tags, host, port, trouble }: PublishedService,
    signal: AbortSignal,
  ): Promise<void> {
    const { engineId, server, call } = this.#options;
    // The package's types ask for a timeout; neither kind of check has one.
    const timeout = '';
    const checks = [
      {
        checkid: `${id}:engine`,
        name: 'docker engine',
        aliasservice: engineId,
        deregistercriticalserviceafter: forgetAfter,
        timeout,
      },
      {
        checkid: checkOf(id),
        name: 'container',
        ttl: forEver,
        timeout,
        status: trouble === undefined ? 'passing' : 'critical',
      },
    ];
    const service = { id, name, tags: [...tags], address: host, port, meta: { engine: engineId }, checks };
    await call(signal, (options) => server.client.agent.service.register({ ...options, ...service }));
  }

  /** Consul gives a service that is registered again the state that its checks had. */
  async #mirror(id: string, { trouble }: PublishedService, signal: AbortSignal): Promise<void> {
    const { server, call } = this.#options;
    const { check } = server.client.agent;
    await call(signal, (options) =>
      trouble === undefined
        ? check.pass({ ...options, id: checkOf(id), note: '' })
        : check.fail({ ...options, id: checkOf(id), note: trouble }),
    );
  }

  async #remove(id: string, signal: AbortSignal): Promise<void> {
    const { server, call } = this.#options;
    try {
      await call(signal, (options) => server.client.agent.service.deregister({ ...options, id }));
    } catch (error) {
      // Consul may have forgotten it.
      if (refusalStatus(error) !== 404) throw error;
    }
    this.#known.delete(id);
  }
}

function checkOf(id: string): string {
  return `${id}:container`;
}

function definitionOf({ name, tags, host, port }: PublishedService): string {
  return JSON.stringify([name, tags, host, port]);
}
