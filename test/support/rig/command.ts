// Commands that run to their end. None outlives this process, and none runs without a time limit.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

export interface CommandResult {
  /** 128 + n after signal n, as a shell counts. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where lines of progress go. */
export type Say = (line: string) => void;

export interface CommandOptions {
  readonly timeoutMs?: number;
  /** Given to stdin, which then ends; without it stdin is empty. */
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

const outputLimitBytes = 256 * 1024 * 1024;

/** Resolves whatever the exit code; rejects when the command cannot be started, exceeds its time or writes without end. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs = 60_000, input, env = systemEnvironment(), cwd } = options;
  const child = spawnMortal(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  return await new Promise((resolve, reject) => {
    const stdout = collect(child.stdout, fail);
    const stderr = collect(child.stderr, fail);
    const timer = setTimeout(() => {
      fail(new Error(`${shown(command, args)} did not end within ${timeoutMs} ms\n${stdout.text()}${stderr.text()}`));
    }, timeoutMs);
    function fail(error: Error): void {
      clearTimeout(timer);
      killGroup(child);
      reject(error);
    }
    child.on('error', fail);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: exitCode(code, signal), stdout: stdout.text(), stderr: stderr.text() });
    });
    // A command may end without reading its input.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Resolves with stdout; an exit code other than 0 is an error that shows what the command wrote. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${shown(command, args)} ended with code ${result.code}: ${result.stderr || result.stdout}`.trim());
  }
  return result.stdout;
}

/** A child that the kernel kills when this process dies, however it dies. */
export function spawnMortal(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], options);
}

/** This process's environment, with the places of system programs on the PATH even where the user's lacks them. */
export function systemEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin` };
}

export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  return 128 + (signal === 'SIGKILL' ? 9 : signal === 'SIGINT' ? 2 : 15);
}

function collect(stream: NodeJS.ReadableStream | null, fail: (error: Error) => void): { readonly text: () => string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > outputLimitBytes) fail(new Error(`a command wrote more than ${outputLimitBytes} bytes`));
    else chunks.push(chunk);
  });
  return { text: () => Buffer.concat(chunks).toString() };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

function shown(command: string, args: readonly string[]): string {
  return [command, ...args].join(' ').slice(0, 300);
}
