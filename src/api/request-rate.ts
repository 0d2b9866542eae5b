// How many requests a client may send: a bucket for each address that fills at a steady rate and holds two seconds'
// worth, so that a burst passes and a flood does not.
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../common/errors.ts';
import { RecentMap } from '../common/recent-map.ts';

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

const burstSeconds = 2;
/** Strangers must not fill memory with their addresses: the one that asked longest ago is forgotten. */
const maxAddresses = 10_000;

export class RequestRate {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new RecentMap<string, Bucket>(maxAddresses);

  /** `now` in milliseconds. */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Throws ApiError 429 when the client has sent too many. Unix sockets have no limit. */
  assertAdmits({ socket: { remoteAddress } }: Pick<IncomingMessage, 'socket'>): void {
    if (remoteAddress !== undefined && !this.admits(remoteAddress))
      throw new ApiError(429, `more than ${this.#perSecond} requests a second from ${remoteAddress}`);
  }

  admits(address: string): boolean {
    const full = this.#perSecond * burstSeconds;
    const atMs = this.#now();
    const last = this.#buckets.get(address) ?? { left: full, atMs };
    const left = Math.min(full, last.left + ((atMs - last.atMs) / 1_000) * this.#perSecond);
    // Behind the others: who asks often is not forgotten.
    this.#buckets.set(address, { left: left < 1 ? left : left - 1, atMs });
    return left >= 1;
  }
}
