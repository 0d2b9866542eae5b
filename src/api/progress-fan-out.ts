// The progress of one job on many engines as one stream: one engine's own lines, so that clients draw what they
// always draw, one line for each other node, and the last words of the first only when all nodes are through.
import { ApiError, errorMessage, unavailable } from '../common/errors.ts';
import { readNdjson } from '../common/ndjson.ts';
import { goMember, numberMember, textMember } from '../docker/go-member.ts';
import type { Engine } from '../engine/engine.ts';
import { readAnswer } from '../proxy/exchange.ts';
import type { OpenedStream } from '../proxy/open-stream.ts';
import type { ApiCall } from './api-call.ts';
import { messageOf } from './engine-call.ts';
import { whileHealthy } from './fan-out.ts';
import type { Failure } from './fan-out.ts';
import { warnOfFailures } from './node-warnings.ts';
import { ProgressAnswer } from './progress-answer.ts';

export interface ProgressJob {
  readonly engines: readonly Engine[];
  readonly concurrency: number;
  /** What the other nodes' lines say: "Pulling", "Pull complete"; absent: they have none. */
  readonly words?: { readonly begun: string; readonly done: string; readonly mended?: string } | undefined;
  /** Begins the work on one engine. */
  readonly open: (engine: Engine, signal: AbortSignal) => Promise<OpenedStream>;
  /** Called when the work on an engine is over, however it ended. */
  readonly close?: (engine: Engine) => void;
  /** Whether a failure says only that this engine has nothing to do with the job. */
  readonly isIrrelevant?: (error: ApiError) => boolean;
  /** dockerd has sent its 200 before it knows how the work goes: a failure is the stream's last line, whenever it comes. */
  readonly failsInStream?: true;
  /**
   * What remains to be done when the engines are through, before the answer ends. Answers with what has failed in the
   * end: `failed` without what could be mended, with what went wrong now.
   */
  readonly afterwards: (done: readonly Engine[], failed: readonly Failure[]) => Promise<readonly Failure[]>;
  /** Whether the call has failed because an engine has; every failure counts where this is absent. */
  readonly counts?: (failure: Failure, done: readonly Engine[]) => boolean;
}

/**
 * Runs the job and answers the call. Each engine's failure is a line of the stream, and the stream ends with an error
 * when one counts; that of an engine that was lost meanwhile does not. When all fail before any progress, throws the
 * first one's error.
 */
export async function answerWithProgress(call: ApiCall, job: ProgressJob): Promise<void> {
  await new ProgressMerge(call, job).run();
}

/** Throws the error that a line of progress tells of. */
export function assertNoError(line: unknown): void {
  const detail = goMember(line, 'errorDetail');
  const message = textMember(detail, 'message') || textMember(line, 'error');
  if (message === '') return;
  const code = numberMember(detail, 'code');
  throw new ApiError(code >= 400 && code < 600 ? code : 500, message);
}

/** Throws the error of an engine that refused; passes everything else on. */
export async function assertOpened(opened: OpenedStream): Promise<OpenedStream> {
  if (opened.statusCode < 400) return opened;
  const text = (await readAnswer(opened.stream, maxErrorBytes)).toString('utf8');
  throw new ApiError(opened.statusCode, messageOf(text));
}

const maxErrorBytes = 1024 * 1024;
/** Lines without an id that wait for the other nodes, and texts that are told once: more than any engine says. */
const maxHeldLines = 100;
const maxKnownTexts = 10_000;

class ProgressMerge {
  readonly #call: ApiCall;
  readonly #job: ProgressJob;
  readonly #answer: ProgressAnswer;
  readonly #failed: Failure[] = [];
  readonly #texts = new Set<string>();
  #done: Engine[] = [];
  #held: unknown[] = [];
  #lead: Engine | undefined;

  constructor(call: ApiCall, job: ProgressJob) {
    this.#call = call;
    this.#job = job;
    this.#answer = new ProgressAnswer(call.res);
  }

  async run(): Promise<void> {
    const { engines, concurrency, afterwards } = this.#job;
    const waiting = engines.values();
    const work = async (): Promise<void> => {
      for (const engine of waiting) await this.#runOn(engine);
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, engines.length) }, work));
    const [first] = this.#failed;
    const isStream = this.#answer.isOpen || this.#job.failsInStream === true;
    if (this.#done.length === 0 && first !== undefined && !isStream) throw first.error;
    const failed = this.#relevant(this.#failed);
    const left = this.#done.length === 0 ? failed : await afterwards(this.#done, failed);
    this.#call.signal.throwIfAborted();
    for (const { engine } of failed)
      if (!left.some((failure) => failure.engine === engine)) await this.#tell(engine, this.#job.words?.mended);
    await this.#conclude(left, first);
  }

  async #conclude(failed: readonly Failure[], first: Failure | undefined): Promise<void> {
    const isToldAlready = ({ engine }: Failure): boolean => this.#job.engines.length === 1 && engine === first?.engine;
    const untold = failed.filter((failure) => !isToldAlready(failure));
    warnOfFailures(this.#call, untold);
    for (const { engine, error } of untold) {
      await this.#answer.write({ status: `${this.#nameOf(engine)}: ${error.message}` });
    }
    await this.#release();
    const refusal = this.#done.length === 0 ? first?.error : this.#partialRefusal(failed);
    if (refusal !== undefined) await this.#answer.writeError(refusal.status, refusal.message);
    this.#answer.end();
  }

  /** Other nodes have done the work; undefined when the failures do not matter. */
  #partialRefusal(failed: readonly Failure[]): ApiError | undefined {
    const { counts } = this.#job;
    const counting = failed.filter(
      (failure) => failure.engine.state === 'healthy' && (counts === undefined || counts(failure, this.#done)),
    );
    const [first] = counting;
    if (first === undefined) return undefined;
    const texts = counting.map(({ engine, error }) => `${this.#nameOf(engine)}: ${error.message}`);
    return new ApiError(first.error.status, `not done on every node: ${texts.join('; ')}`);
  }

  /** Where no node has done the work, every failure counts. */
  #relevant(failed: readonly Failure[]): readonly Failure[] {
    const { isIrrelevant } = this.#job;
    if (isIrrelevant === undefined || this.#done.length === 0) return failed;
    return failed.filter(({ error }) => !isIrrelevant(error));
  }

  /** Rejects only when the client has left. */
  async #runOn(engine: Engine): Promise<void> {
    try {
      await whileHealthy(this.#call, engine, (signal) => this.#relay(engine, signal));
      this.#done = [...this.#done, engine];
      if (this.#lead !== undefined && this.#lead !== engine) await this.#tell(engine, this.#job.words?.done);
    } catch (error) {
      this.#call.signal.throwIfAborted();
      const known = error instanceof ApiError ? error : unavailable(engine.name, errorMessage(error));
      this.#failed.push({ engine, isDone: false, error: known });
    } finally {
      this.#job.close?.(engine);
    }
  }

  async #relay(engine: Engine, signal: AbortSignal): Promise<void> {
    const { stream } = await assertOpened(await this.#job.open(engine, signal));
    try {
      let isFirst = true;
      for await (const line of readNdjson(stream)) {
        if (isFirst) await this.#begin(engine);
        isFirst = false;
        assertNoError(line);
        await this.#pass(engine, line);
      }
    } finally {
      stream.destroy();
    }
  }

  async #begin(engine: Engine): Promise<void> {
    if (this.#lead === undefined) this.#lead = engine;
    else await this.#tell(engine, this.#job.words?.begun);
  }

  async #pass(engine: Engine, line: unknown): Promise<void> {
    const text = textMember(line, 'stream');
    if (text !== '') await this.#passText(line, text);
    else if (engine === this.#lead) await this.#passOwn(line);
  }

  /** "Loaded image: x" comes from every node; clients count these lines. */
  async #passText(line: unknown, text: string): Promise<void> {
    if (this.#texts.has(text)) return;
    if (this.#texts.size < maxKnownTexts) this.#texts.add(text);
    await this.#answer.write(line);
  }

  async #passOwn(line: unknown): Promise<void> {
    if (textMember(line, 'id') === '') {
      this.#held.push(line);
      if (this.#held.length <= maxHeldLines) return;
      await this.#release();
      return;
    }
    await this.#release();
    await this.#answer.write(line);
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    for (const line of held) await this.#answer.write(line);
  }

  async #tell(engine: Engine, status: string | undefined): Promise<void> {
    if (status !== undefined) await this.#answer.write({ status, id: this.#nameOf(engine) });
  }

  #nameOf(engine: Engine): string {
    return this.#call.cluster.members.identityOf(engine).name;
  }
}
