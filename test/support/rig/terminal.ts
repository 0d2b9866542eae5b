// A terminal of a user's: tmux runs one command line, takes keys and shows the screen.
import { randomUUID } from 'node:crypto';
import { run, runOrThrow } from './command.ts';
import { stateDirectory, type RigKind } from './rig-kind.ts';

export interface TerminalOptions {
  readonly kind: RigKind;
  /** For the shell. */
  readonly commandLine: string;
  readonly env: NodeJS.ProcessEnv;
  readonly columns: number;
  readonly rows: number;
}

export class Terminal {
  readonly #socket: string;

  static async open({ kind, commandLine, env, columns, rows }: TerminalOptions): Promise<Terminal> {
    // A server that is just ending would refuse a session on the socket that it leaves.
    const terminal = new Terminal(`${stateDirectory(kind)}/tmux-${randomUUID().slice(0, 8)}`);
    const size = ['-x', String(columns), '-y', String(rows)];
    const start = ['-f', '/dev/null', 'new-session', '-d', ...size, `${commandLine}; printf 'code %s' $?; cat`];
    await runOrThrow('tmux', ['-S', terminal.#socket, ...start], { env: withoutOuterTerminal(env) });
    return terminal;
  }

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Names of keys as tmux knows them (Enter, C-p), or text. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#ask('send-keys', ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#ask('resize-window', '-x', String(columns), '-y', String(rows));
  }

  async screen(): Promise<string> {
    return await this.#ask('capture-pane', '-p');
  }

  /** Idempotent; whatever runs in it is hung up. */
  async close(): Promise<void> {
    await run('tmux', ['-S', this.#socket, 'kill-server']);
  }

  async #ask(...args: readonly string[]): Promise<string> {
    return await runOrThrow('tmux', ['-S', this.#socket, ...args]);
  }
}

function withoutOuterTerminal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries({ ...env, TERM: 'screen' }).filter(([name]) => name !== 'TMUX'));
}
