// A lean client of the Docker API for load: connections are kept, answers are read whole, nothing is repeated.
import { Agent, request } from 'node:http';

export interface DockerAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const answerWithinMs = 30_000;

export class DockerAddress {
  readonly #host: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 512 });

  /** "host:port" */
  constructor(address: string) {
    const colon = address.lastIndexOf(':');
    this.#host = address.slice(0, colon);
    this.#port = Number(address.slice(colon + 1));
  }

  /** The whole answer, whatever its status; rejects when there is none in time. */
  call(method: string, path: string, body?: unknown): Promise<DockerAnswer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers =
      bytes === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) };
    return new Promise((resolve, reject) => {
      const target = { host: this.#host, port: this.#port, agent: this.#agent, method, path, headers };
      const sent = request({ ...target, timeout: answerWithinMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      });
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
      sent.once('error', reject);
      sent.end(bytes);
    });
  }

  /** Asks and leaves after `ms`, whatever has come until then. Never rejects. */
  leave(path: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const sent = request({ host: this.#host, port: this.#port, agent: false, path }, (response) => {
        response.on('error', () => undefined);
        response.resume();
      });
      const timer = setTimeout(() => sent.destroy(), ms);
      sent.on('error', () => undefined);
      sent.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      sent.end();
    });
  }

  /** The parsed answer; rejects when its status is 400 or more. */
  async json(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.call(method, path, body);
    const text = answer.body.toString('utf8');
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 200)}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  close(): void {
    this.#agent.destroy();
  }
}
