// The audit log: lines of JSON in a file that is opened anew for each batch, so that it may be moved away at any time.
// A disk that does not keep up costs entries, which is told, and never memory.
import { appendFile } from 'node:fs/promises';
import type { Audit, AuditEntry } from '../api/audit.ts';
import { sleep } from '../common/abort.ts';
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';

/** Takes whole lines. Rejects when they are not kept. */
export type Append = (lines: string) => Promise<void>;

const maxWaiting = 10_000;
const retryMs = 1_000;
/** Only the owner and the group may read who did what. */
const mode = 0o640;

/** Appends to the file at `path`. */
export function appendTo(path: string): Append {
  return async (lines) => {
    await appendFile(path, lines, { mode });
  };
}

export class AuditLog implements Audit {
  readonly #append: Append;
  readonly #logger: Logger;
  readonly #tasks: TaskSet;
  #waiting: string[] = [];
  #isWriting = false;
  #lost = 0;

  constructor(append: Append, logger: Logger) {
    this.#append = append;
    this.#logger = logger;
    this.#tasks = new TaskSet(logger);
  }

  /** Rejects when nothing can be written. */
  async start(): Promise<void> {
    await this.#append('');
  }

  record(entry: AuditEntry): void {
    if (this.#waiting.length >= maxWaiting) {
      if (this.#lost % maxWaiting === 0)
        this.#logger.error('entries of the audit log are lost', { lost: this.#lost + 1 });
      this.#lost += 1;
      return;
    }
    this.#waiting.push(`${JSON.stringify(entry)}\n`);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#tasks.spawn('write the audit log', (signal) => this.#write(signal));
  }

  /** Writes what is left. May be called more than once. */
  async stop(): Promise<void> {
    await this.#tasks.stop();
    const left = this.#waiting.splice(0);
    if (left.length > 0) await this.#tryAppend(left);
  }

  async #write(signal: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0 && !signal.aborted) {
      const batch = this.#waiting.splice(0);
      if (await this.#tryAppend(batch)) continue;
      this.#waiting = [...batch, ...this.#waiting];
      await sleep(retryMs, signal);
    }
    this.#isWriting = false;
  }

  async #tryAppend(lines: readonly string[]): Promise<boolean> {
    try {
      await this.#append(lines.join(''));
      return true;
    } catch (error) {
      this.#logger.error('the audit log cannot be written', { error: errorMessage(error), waiting: lines.length });
      return false;
    }
  }
}
