// The simulated engines as the benchmark sees them. They live in a process of their own, so that the load and what
// is measured do not share an event loop.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FleetAnswer, FleetPlan, FleetRequest } from './fleet-messages.ts';

export class Fleet {
  readonly addresses: readonly string[];
  readonly pid: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, addresses: readonly string[]) {
    this.#process = process;
    this.addresses = addresses;
    this.pid = process.pid ?? 0;
  }

  /** Resolves when every engine listens. */
  static async start(plan: FleetPlan): Promise<Fleet> {
    const script = new URL('simulator.ts', import.meta.url);
    const child = fork(script, { execArgv: ['--import', 'tsx', '--max-old-space-size=8192'], stdio: 'inherit' });
    const { addresses = [] } = await ask(child, { kind: 'start', plan });
    return new Fleet(child, addresses);
  }

  /** Makes a running container on an engine; the time is that of its making. */
  async create(node: number, name: string): Promise<number> {
    return (await ask(this.#process, { kind: 'create', node, name })).atMs;
  }

  async hang(count: number): Promise<void> {
    await ask(this.#process, { kind: 'hang', count });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

async function ask(child: ChildProcess, request: FleetRequest): Promise<FleetAnswer> {
  const ended = new AbortController();
  const answered = once(child, 'message', { signal: ended.signal });
  const onExit = (): void => {
    ended.abort(new Error('the process of the simulated engines has ended'));
  };
  child.once('exit', onExit);
  try {
    child.send(request);
    const [answer] = (await answered) as [FleetAnswer];
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  } finally {
    child.off('exit', onExit);
  }
}
