// The rules in force: those of the file as it last could be read. A file that is broken changes nothing.
import { readFileSync } from 'node:fs';
import { errorMessage } from '../common/errors.ts';
import { followFiles } from '../common/followed-files.ts';
import type { Logger } from '../common/logger.ts';
import { parseRules } from './parse-rules.ts';
import type { Rules } from './rules.ts';

export class RulesFile {
  readonly #path: string;
  readonly #logger: Logger;
  #text: string;
  #current: Rules;

  /** Throws "PATH: line N: ..." when the file cannot be read or says something that is not understood. */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#text = this.#read();
    this.#current = this.#parse(this.#text);
  }

  get current(): Rules {
    return this.#current;
  }

  /** Reads the file again whenever it changes, until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const reload = (): void => {
      this.#reload();
    };
    await followFiles([this.#path], reload, signal);
  }

  #reload(): void {
    try {
      const text = this.#read();
      if (text === this.#text) return;
      // A mistake is reported once, not at every look.
      this.#text = text;
      this.#current = this.#parse(text);
      this.#logger.info('rules are read again', { file: this.#path, rules: this.#current.rules.length });
    } catch (error) {
      this.#logger.error('new rules cannot be used, those from before stay', { error: errorMessage(error) });
    }
  }

  #read(): string {
    return readFileSync(this.#path, 'utf8');
  }

  #parse(text: string): Rules {
    try {
      return parseRules(text);
    } catch (error) {
      throw new Error(`${this.#path}: ${errorMessage(error)}`, { cause: error });
    }
  }
}
