// The manager under measurement, as its users run it: the built command in a process of its own. Memory and CPU are
// read from the kernel, so that nothing runs inside of it for our sake.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';

export interface ManagerPlan {
  readonly script: string;
  readonly nodeArgs: readonly string[];
  readonly address: string;
  readonly discovery: string;
  readonly logFile: string;
}

/** The kernel counts CPU time in these. */
const ticksPerSecond = 100;

export class ManagerProcess {
  readonly #process: ChildProcess;
  readonly #logFile: string;

  constructor({ script, nodeArgs, address, discovery, logFile }: ManagerPlan) {
    const args = [...nodeArgs, script, 'manage', '--log-level', 'warn', '--host', `tcp://${address}`, discovery];
    this.#logFile = logFile;
    const log = openSync(logFile, 'w');
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Open file descriptors. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length;
  }

  /** What it has logged: warnings and errors. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  rssBytes(): number {
    return this.#statusBytes('VmRSS');
  }

  peakRssBytes(): number {
    return this.#statusBytes('VmHWM');
  }

  /** CPU time used so far, by all threads. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Asks it to end and waits; a profile is written then. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(impatience);
  }

  #statusBytes(field: string): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  }
}
