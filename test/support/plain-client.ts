// A client of the manager's API that never asserts: under faults every answer is possible, none included.
import http from 'node:http';

export interface PlainAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  /** Parsed JSON; the text where it is none. */
  readonly body: unknown;
}

export class PlainClient {
  readonly #port: number;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #timeoutMs: number;

  /** Gives an answer up after `timeoutMs`, by leaving. */
  constructor(port: number, timeoutMs: number) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects. */
  call(method: string, path: string, body?: object): Promise<PlainAnswer> {
    return new Promise((resolve) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = payload === undefined ? {} : { 'Content-Type': 'application/json' };
      const options = { host: '127.0.0.1', port: this.#port, method, path, headers, agent: this.#agent };
      const noAnswer = (): void => {
        resolve({ status: 0, body: undefined });
      };
      const request = http.request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) });
        });
        response.on('error', noAnswer);
      });
      const timer = setTimeout(() => request.destroy(), this.#timeoutMs);
      request.on('error', noAnswer);
      request.on('close', () => {
        clearTimeout(timer);
        noAnswer();
      });
      request.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
