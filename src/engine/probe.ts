// Asks the engine again and again whether it still answers. A hung engine accepts connections and says nothing,
// so only an answer in time counts.
import { Backoff } from '../common/backoff.ts';
import { Alarm } from './alarm.ts';
import type { EngineClient } from './client.ts';
import type { EngineTimings } from './timings.ts';

export interface ProbeOptions {
  readonly client: EngineClient;
  readonly timings: EngineTimings;
  /** `swarm` is the engine's word on swarm mode, '' from engines before API 1.42. */
  readonly onSuccess: (swarm: string) => void;
  /** The engine answers again after it had been given up. */
  readonly onRecovery: () => void;
  readonly onFailure: (error: unknown) => void;
}

export class Probe {
  readonly #options: ProbeOptions;
  readonly #alarm = new Alarm();
  readonly #recovery: Backoff;
  #failures = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
    const { recoveryMinMs, recoveryMaxMs } = options.timings;
    this.#recovery = new Backoff({ initialMs: recoveryMinMs, maxMs: recoveryMaxMs });
  }

  /** Probes until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // Many engines are met at one moment; they should not all be probed in the same one for ever. Reading tells soon
    // enough of one that cannot be reached.
    await this.#alarm.sleep(Math.random() * this.#options.timings.probeIntervalMs, signal);
    while (!signal.aborted) {
      const startedAt = performance.now();
      await this.#probe(signal);
      await this.#pause(performance.now() - startedAt, signal);
    }
  }

  /** There is reason for doubt, or for hope: probe now. Failures keep their pace, lest three come in one moment. */
  doubt(): void {
    if (this.#failures === 0 || this.#hasGivenUp) this.#alarm.ring();
  }

  get #hasGivenUp(): boolean {
    return this.#failures >= this.#options.timings.failuresUntilUnhealthy;
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { client, timings, onSuccess, onRecovery, onFailure } = this.#options;
    try {
      const swarm = await client.ping(signal, timings.probeTimeoutMs);
      const hadGivenUp = this.#hasGivenUp;
      this.#failures = 0;
      this.#recovery.reset();
      onSuccess(swarm);
      if (hadGivenUp) onRecovery();
    } catch (error) {
      if (signal.aborted) return;
      this.#failures += 1;
      onFailure(error);
    }
  }

  async #pause(elapsedMs: number, signal: AbortSignal): Promise<void> {
    const { timings } = this.#options;
    if (this.#failures === 0) await this.#alarm.sleep(timings.probeIntervalMs * (0.9 + Math.random() * 0.2), signal);
    else if (this.#hasGivenUp) await this.#alarm.sleep(this.#recovery.next(), signal);
    else await this.#alarm.sleep(Math.max(0, timings.probeRetryMs - elapsedMs), signal);
  }
}
