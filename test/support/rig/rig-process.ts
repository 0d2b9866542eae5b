// A long-running process of a rig: its output goes to a file, the kernel kills it with this process, and an end that
// nobody asked for is told to the rig.
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../until.ts';
import { exitCode, spawnMortal } from './command.ts';
import { markVariable, type RigKind } from './rig-kind.ts';

export interface RigProcessOptions {
  readonly kind: RigKind;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Appended to. */
  readonly logFile: string;
  /** 'child' when `command` forks the process that is meant and waits for it, as unshare and nsenter do. */
  readonly target?: 'self' | 'child';
  readonly onUnexpectedExit?: ((ended: RigProcess) => void) | undefined;
}

export class RigProcess {
  readonly name: string;
  readonly logFile: string;
  /** Resolves with the exit code when the process has ended. */
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  #targetPid: number | undefined;
  #endExpected = false;
  #failure: Error | undefined;

  static async start(options: RigProcessOptions): Promise<RigProcess> {
    const started = new RigProcess(options);
    try {
      await started.#findTarget(options.target ?? 'self');
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  private constructor(options: RigProcessOptions) {
    this.name = options.name;
    this.logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    this.#child = spawnMortal(options.command, options.args, {
      env: { ...options.env, [markVariable]: options.kind.name },
      // A session of its own: Ctrl-C in the terminal reaches the owner alone, who then stops all in order.
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#failure = error;
        resolve(127);
      });
      this.#child.once('exit', (code, signal) => {
        resolve(exitCode(code, signal));
        if (!this.#endExpected) options.onUnexpectedExit?.(this);
      });
    });
  }

  get isRunning(): boolean {
    return this.#failure === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** As this process sees it, not as the process sees itself in a namespace of its own. */
  get pid(): number {
    if (this.#targetPid === undefined) throw new Error(`${this.name} has not been started`);
    return this.#targetPid;
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** The end of the log, for the message of a failure. */
  logTail(): string {
    return this.log().split('\n').slice(-15).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGTERM' || signal === 'SIGKILL' || signal === 'SIGINT') this.#endExpected = true;
    const parentPid = this.isRunning ? this.#child.pid : undefined;
    if (this.#targetPid === undefined) {
      if (parentPid !== undefined) sendSignal(parentPid, signal);
      return;
    }
    sendSignal(this.#targetPid, signal);
    // The waiting parent stops itself together with its child; awake, it sees it end or go on. It is not killed with it:
    // the child would be left to a stranger to reap.
    if ((signal === 'SIGKILL' || signal === 'SIGCONT') && parentPid !== undefined && parentPid !== this.#targetPid) {
      sendSignal(parentPid, 'SIGCONT');
    }
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Resolves with the exit code; SIGKILL follows after `graceMs`. */
  async stop(graceMs = 5_000): Promise<number> {
    if (!this.isRunning) return await this.exited;
    this.signal('SIGTERM');
    const giveUp = new AbortController();
    const overdue = delay(graceMs, undefined, { signal: giveUp.signal }).then(
      () => {
        this.signal('SIGKILL');
      },
      () => undefined,
    );
    const code = await this.exited;
    giveUp.abort();
    await overdue;
    return code;
  }

  async #findTarget(target: 'self' | 'child'): Promise<void> {
    if (target === 'self') {
      this.#targetPid = this.#child.pid;
      return;
    }
    this.#targetPid = await until(`${this.name} runs`, () => {
      if (!this.isRunning) throw new Error(`${this.name} ended at once:\n${this.logTail()}`);
      return firstChild(this.#child.pid);
    });
  }
}

function firstChild(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch {
    return undefined;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
