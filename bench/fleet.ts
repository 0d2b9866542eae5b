// The simulated engines as the benchmark sees them. They live in a process of their own, so that the load and what
// is measured do not share an event loop.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { withResolvers } from '../src/common/abort.ts';
import type { Resolvers } from '../src/common/abort.ts';
import type { FleetAnswer, FleetCall, FleetFault, FleetPlan, FleetRequest } from './fleet-messages.ts';

/** Ten thousand engines start within it. */
const answerWithinMs = 120_000;

export class Fleet {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Resolvers<FleetAnswer>>();
  #calls = 0;
  #addresses: readonly string[] = [];

  private constructor() {
    const script = new URL('simulator.ts', import.meta.url);
    const execArgv = ['--import', 'tsx', '--max-old-space-size=8192'];
    this.#process = fork(script, { execArgv, stdio: 'inherit' });
    this.#process.on('message', (answer: FleetAnswer) => {
      const asked = this.#waiting.get(answer.call);
      if (answer.error === undefined) asked?.resolve(answer);
      else asked?.reject(new Error(answer.error));
    });
    this.#process.once('exit', () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error('the process of the simulated engines has ended'));
    });
  }

  /** Resolves when every engine listens. */
  static async start(plan: FleetPlan): Promise<Fleet> {
    const fleet = new Fleet();
    try {
      const { addresses = [] } = await fleet.#ask({ kind: 'start', plan });
      fleet.#addresses = addresses;
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Makes a running container on an engine; the time is that of its making. */
  async create(node: number, name: string): Promise<number> {
    return (await this.#ask({ kind: 'create', node, name })).atMs;
  }

  async remove(node: number, name: string): Promise<void> {
    await this.#ask({ kind: 'remove', node, name });
  }

  /** For `count` engines from `firstNode` on, to the end of the fleet. */
  async inflict(fault: FleetFault, firstNode: number, count: number): Promise<void> {
    await this.#ask({ kind: 'fault', fault, firstNode, count });
  }

  async dropEvents(node: number): Promise<void> {
    await this.#ask({ kind: 'drop events', node });
  }

  /** Resolves when the engine is back. */
  async restart(node: number, downMs: number): Promise<void> {
    await this.#ask({ kind: 'restart', node, downMs });
  }

  /** How many containers there are in truth. */
  async countContainers(): Promise<number> {
    return (await this.#ask({ kind: 'count' })).containers ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  async #ask(request: FleetRequest): Promise<FleetAnswer> {
    const call = (this.#calls += 1);
    const asked = withResolvers<FleetAnswer>();
    this.#waiting.set(call, asked);
    const impatience = setTimeout(() => {
      asked.reject(new Error(`the simulated engines did not ${request.kind} within ${answerWithinMs} ms`));
    }, answerWithinMs);
    try {
      this.#process.send({ call, request } satisfies FleetCall);
      return await asked.promise;
    } finally {
      clearTimeout(impatience);
      this.#waiting.delete(call);
    }
  }
}
