// One create and the nodes that failed it so far: whether another node may be tried, and what its client is told.
import { ApiError, errorMessage } from '../../common/errors.ts';
import { EngineUnreachable } from '../../engine/unreachable.ts';
import type { ContainerCreateCall } from '../calls.ts';
import type { NoRoom } from './no-room.ts';
import type { FailedAttempt } from './placement-label.ts';
import type { PreparedCreate } from './prepare-create.ts';

export class Attempts {
  readonly prepared: PreparedCreate;
  readonly call: ContainerCreateCall;
  readonly releaseName: () => void;
  /** By node name, in the order of the attempts. */
  readonly failures = new Map<string, unknown>();
  /** Someone else gives the reservations back. */
  isHandedOver = false;

  constructor(prepared: PreparedCreate, call: ContainerCreateCall, releaseName: () => void) {
    this.prepared = prepared;
    this.call = call;
    this.releaseName = releaseName;
  }

  /** A node that did not get the request costs nothing; one that answered 500 costs one of `retries`. */
  mayTryNext(error: unknown, retries: number): boolean {
    if (error instanceof EngineUnreachable) return true;
    const refusals = [...this.failures.values()].filter((failure) => !(failure instanceof EngineUnreachable)).length;
    return error instanceof ApiError && error.status === 500 && refusals < retries;
  }

  get failed(): readonly FailedAttempt[] {
    return [...this.failures].map(([node, error]) => ({ node, error: errorMessage(error) }));
  }

  failedOn(node: string, error: unknown): void {
    this.failures.set(node, error);
  }

  /** `refusal` when nothing was tried; else what the nodes that were tried said. */
  refused(refusal: NoRoom): unknown {
    const failures = [...this.failures.values()];
    const mayWait = this.prepared.terms.waitMs > 0 && failures.every((failure) => failure instanceof EngineUnreachable);
    if (mayWait) {
      // By the time that the nodes have changed, those that could not be reached may be back.
      this.failures.clear();
      return refusal;
    }
    const last = failures.at(-1);
    if (failures.length <= 1) return last ?? refusal;
    return new ApiError(last instanceof ApiError ? last.status : 500, `${this.#lines()}\n${refusal.message}`, {
      cause: last,
    });
  }

  /** `error` with the attempts before it, if there were any. */
  explain(error: unknown): unknown {
    if (this.failures.size === 0) return error;
    const status = error instanceof ApiError ? error.status : 500;
    return new ApiError(status, `${errorMessage(error)}\ntried before:\n${this.#lines()}`, { cause: error });
  }

  #lines(): string {
    return [...this.failures].map(([node, error]) => `  ${node}: ${errorMessage(error)}`).join('\n');
  }
}
