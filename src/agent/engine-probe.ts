// Whether the engine beside the agent answers: one ping with a deadline, on a connection of its own, so that a
// hung engine is never mistaken for a living one.
import { request } from 'node:http';
import { errorMessage } from '../common/errors.ts';

/** Resolves when the engine answered its ping; rejects with the reason when it did not, or on abort. */
export type EngineProbe = (signal: AbortSignal) => Promise<void>;

/** Where the engine listens: its address as announced, or its unix socket. */
export type EnginePlace = { readonly host: string; readonly port: number } | { readonly socketPath: string };

const probeTimeoutMs = 3_000;

/** A probe of the engine at `place` that gives up after `timeoutMs`. */
export function createEngineProbe(place: EnginePlace, timeoutMs: number = probeTimeoutMs): EngineProbe {
  return (signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const req = request({ ...place, path: '/_ping', agent: false });
      const end = (): void => {
        req.destroy(new Error('given up'));
      };
      const deadline = setTimeout(() => {
        req.destroy(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      signal.addEventListener('abort', end, { once: true });
      req.on('close', () => {
        clearTimeout(deadline);
        signal.removeEventListener('abort', end);
      });
      req.on('error', (error) => {
        reject(new Error(`the engine does not answer: ${errorMessage(error)}`, { cause: error }));
      });
      req.on('response', (res) => {
        const status = res.statusCode ?? 0;
        // Nothing of the answer is read: a body that never ends must not keep the connection.
        req.on('error', () => undefined);
        res.on('error', () => undefined);
        res.destroy();
        // 400 is how an engine that speaks TLS answers who does not: it lives, and only managers have a certificate for it.
        if (status === 200 || status === 400) resolve();
        else reject(new Error(`the engine answered its ping with ${status}`));
      });
      req.end();
    });
}
