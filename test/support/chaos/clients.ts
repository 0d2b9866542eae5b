// A client of the managers that makes, uses and removes containers by the choices of its seed, tries again as people and
// programs do, and knows at every moment what it was told of each of its containers.
import { setTimeout as delay } from 'node:timers/promises';
import { field } from '../document.ts';
import type { BalancedAnswer, Balancer } from './balancer.ts';
import { nonceLabel, type Belief, type Complaint } from './history.ts';
import type { Choice } from './plan.ts';

export interface ChaosClientOptions {
  /** Counts from 1. */
  readonly number: number;
  readonly choices: Iterator<Choice, never>;
  readonly balancer: Balancer;
  /** Whether a node was just withdrawn in order, with all that is on it: its agent was stopped. */
  readonly isNodeWithdrawn: () => boolean;
  readonly complain: (complaint: Complaint) => void;
}

/** The name of one slot is every client's: they contend for it. */
const sharedSlot = 0;
const attempts = 4;
const pauseMs = 400;
const idempotencyHeader = 'Idempotency-Key';

interface OpenBelief extends Belief {
  readonly name: string;
  readonly create: CreateCall;
  /** Some attempt to create it was not answered. */
  isInDoubt: boolean;
}

interface CreateCall {
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
}

interface Request {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer, and whether an earlier attempt may have done what was asked. */
interface Outcome extends BalancedAnswer {
  readonly isRepeated: boolean;
}

export class ChaosClient {
  readonly name: string;
  readonly #options: ChaosClientOptions;
  readonly #beliefs: OpenBelief[] = [];
  readonly #slots = new Map<number, OpenBelief>();
  #manager = 0;

  constructor(options: ChaosClientOptions) {
    this.#options = options;
    this.name = `client-${options.number}`;
  }

  get beliefs(): readonly Belief[] {
    return this.#beliefs;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const choice = this.#options.choices.next().value;
      this.#manager = choice.manager;
      await this.#play(choice);
      await delay(choice.pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Once more for whatever is not known yet. */
  async resolve(): Promise<void> {
    for (const belief of this.#slots.values()) {
      this.#manager = (this.#manager + 1) % 3;
      await this.#clarify(belief);
    }
  }

  async #play(choice: Choice): Promise<void> {
    const belief = this.#slots.get(choice.slot);
    if (belief === undefined || belief.state === 'removed' || belief.state === 'refused') await this.#begin(choice);
    else if (belief.state !== 'created' || belief.names.length > 1) await this.#clarify(belief);
    else await this.#use(belief, choice.dice);
  }

  async #use(belief: OpenBelief, dice: number): Promise<void> {
    if (dice < 0.3) await this.#inspect(belief);
    else if (dice < 0.4) await this.#list();
    else if (dice < 0.55) await this.#execute(belief);
    else if (dice < 0.65) await this.#rename(belief);
    else if (dice < 0.75) await this.#change(belief, 'stop', 'stop?t=1');
    else if (dice < 0.85) await this.#change(belief, 'start', 'start');
    else await this.#remove(belief);
  }

  async #clarify(belief: OpenBelief): Promise<void> {
    if (belief.state === 'perhaps') await this.#create(belief);
    else if (belief.state === 'removing') await this.#remove(belief);
    else if (belief.state === 'created' && belief.names.length > 1) await this.#findName(belief);
  }

  async #begin(choice: Choice): Promise<void> {
    const { number } = this.#options;
    const nonce = `${number}-${choice.slot}-${this.#beliefs.length}`;
    const name = choice.slot === sharedSlot ? 'shared' : `c${number}s${choice.slot}`;
    const belief: OpenBelief = {
      client: this.name,
      nonce,
      name,
      names: [name],
      state: 'perhaps',
      ids: new Set(),
      mayMove: choice.mayMove,
      isInDoubt: false,
      create: createCall(nonce, choice, `data-${number}-${choice.slot}`),
    };
    this.#beliefs.push(belief);
    this.#slots.set(choice.slot, belief);
    await this.#create(belief);
    if (belief.state === 'created') await this.#change(belief, 'start', 'start');
  }

  async #create(belief: OpenBelief): Promise<void> {
    const path = `/containers/create?name=${belief.name}`;
    const answer = await this.#repeat({ operation: 'create', method: 'POST', path, ...belief.create });
    belief.isInDoubt ||= answer.isRepeated || isOpen(answer);
    const id = field(answer.json, 'Id');
    if (answer.status === 201 && typeof id === 'string') this.#acknowledge(belief, id);
    else if (answer.status === 409) await this.#whose(belief);
  }

  /** The name is taken, perhaps by what an earlier attempt has made; or no node has room. */
  async #whose(belief: OpenBelief): Promise<void> {
    const { status, json } = await this.#repeat(inspectOf(belief.name));
    if (status === 200 && nonceOf(json) === belief.nonce) this.#acknowledge(belief, String(field(json, 'Id')));
    else if (status === 200 || !belief.isInDoubt) belief.state = 'refused';
  }

  #acknowledge(belief: OpenBelief, id: string): void {
    belief.ids.add(id);
    belief.state = 'created';
  }

  async #inspect(belief: OpenBelief): Promise<void> {
    const [name = ''] = belief.names;
    const answer = await this.#repeat(inspectOf(name));
    if (answer.status === 404) this.#notFound(belief, 'inspect');
    if (answer.status !== 200) return;
    if (nonceOf(answer.json) === belief.nonce) belief.ids.add(String(field(answer.json, 'Id')));
    else this.#complain('another container', belief, `${name} is that of ${nonceOf(answer.json)}`);
  }

  async #list(): Promise<void> {
    await this.#repeat({ operation: 'list', method: 'GET', path: '/containers/json?all=1' });
  }

  async #execute(belief: OpenBelief): Promise<void> {
    const body = { Cmd: ['echo', belief.nonce], AttachStdout: true, AttachStderr: true };
    const path = `/containers/${belief.names[0]}/exec`;
    const made = await this.#repeat({ operation: 'exec', method: 'POST', path, body });
    if (made.status === 404) this.#notFound(belief, 'exec');
    const id = field(made.json, 'Id');
    if (made.status !== 201 || typeof id !== 'string') return;
    const start = { operation: 'exec', method: 'POST', path: `/exec/${id}/start`, body: { Detach: false } };
    const { text } = await this.#once(start);
    const spoken = /\d+-\d+-\d+/.exec(text)?.[0];
    if (spoken !== undefined && spoken !== belief.nonce)
      this.#complain('another container', belief, `exec said ${JSON.stringify(text)}`);
  }

  async #rename(belief: OpenBelief): Promise<void> {
    const [from = ''] = belief.names;
    if (belief.name === 'shared') return;
    const to = from === belief.name ? `${belief.name}-r` : belief.name;
    const path = `/containers/${from}/rename?name=${to}`;
    const answer = await this.#repeat({ operation: 'rename', method: 'POST', path });
    if (answer.status === 204) belief.names = [to];
    else if (isOpen(answer) || answer.isRepeated) belief.names = [from, to];
    else if (answer.status === 404) this.#notFound(belief, 'rename');
    if (belief.names.length > 1) await this.#findName(belief);
  }

  async #findName(belief: OpenBelief): Promise<void> {
    for (const name of belief.names) {
      const { status, json } = await this.#repeat(inspectOf(name));
      if (status !== 200 || nonceOf(json) !== belief.nonce) continue;
      // Only a name without a slash in front is one that calls can use.
      belief.names = [String(field(json, 'Name')).replace(/^\//, '')];
      return;
    }
  }

  async #change(belief: OpenBelief, operation: 'start' | 'stop', call: string): Promise<void> {
    const path = `/containers/${belief.names[0]}/${call}`;
    const answer = await this.#repeat({ operation, method: 'POST', path });
    if (answer.status === 404) this.#notFound(belief, operation);
  }

  async #remove(belief: OpenBelief): Promise<void> {
    const wasAsked = belief.state === 'removing';
    belief.state = 'removing';
    const path = `/containers/${belief.names[0]}?force=1`;
    const answer = await this.#repeat({ operation: 'remove', method: 'DELETE', path });
    if (answer.status === 204) belief.state = 'removed';
    if (answer.status !== 404 || this.#options.isNodeWithdrawn()) return;
    belief.state = 'removed';
    if (!wasAsked && !answer.isRepeated) this.#notFound(belief, 'remove');
  }

  #notFound(belief: Belief, operation: string): void {
    if (!this.#options.isNodeWithdrawn()) this.#complain('not found', belief, operation);
  }

  async #repeat(request: Request): Promise<Outcome> {
    let isRepeated = false;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#once(request);
      if (!isOpen(answer) || attempt === attempts) return { ...answer, isRepeated };
      isRepeated = true;
      this.#manager = (this.#manager + 1) % 3;
      await delay(pauseMs);
    }
  }

  async #once(request: Request): Promise<BalancedAnswer> {
    return await this.#options.balancer.call({ ...request, client: this.name, manager: this.#manager });
  }

  #complain(rule: string, belief: Belief, text: string): void {
    const subject = `${belief.names.join(' or ')} (${belief.nonce} of ${this.name})`;
    this.#options.complain({ atMs: Date.now(), rule, text: `${subject}: ${text}` });
  }
}

function createCall(nonce: string, { isKeyed, mayMove, hasVolume, isService }: Choice, volume: string): CreateCall {
  const script = `[ ! -d /data ] || [ -e /data/nonce ] || echo ${nonce} > /data/nonce; exec sleep 100000`;
  return {
    headers: isKeyed ? { [idempotencyHeader]: nonce } : {},
    body: {
      Image: 'busybox',
      Cmd: ['sh', '-c', script],
      StopSignal: 'SIGKILL',
      Labels: {
        [nonceLabel]: nonce,
        ...(mayMove ? { 'com.docker.swarm.reschedule-policies': '["on-node-failure"]' } : {}),
      },
      HostConfig: {
        ...(hasVolume ? { Binds: [`${volume}:/data`] } : {}),
        ...(isService ? { RestartPolicy: { Name: 'always' } } : {}),
      },
    },
  };
}

function inspectOf(name: string): Request {
  return { operation: 'inspect', method: 'GET', path: `/containers/${name}/json` };
}

/** Nobody knows whether it was done. */
function isOpen({ status }: BalancedAnswer): boolean {
  return status === 0 || status >= 500;
}

function nonceOf(document: unknown): string {
  return String(field(document, 'Config', 'Labels', nonceLabel));
}
