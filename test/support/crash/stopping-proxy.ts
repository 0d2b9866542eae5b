// Stands between a manager and an engine or a store, passes every call on, and holds those that a test has stops for. A
// call that goes on does so although the manager is gone, as bytes on their way do.
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from '../document.ts';
import type { Stop, Stops } from './stops.ts';

/** The names of containers by id, as the creates that came through have told them. */
export type KnownNames = Map<string, string>;

export class StoppingProxy {
  readonly #target: URL;
  readonly #stops: Stops;
  readonly #names: KnownNames;
  readonly #server: Server;

  /** `target` is "http://HOST:PORT". */
  constructor(target: string, stops: Stops, names: KnownNames) {
    this.#target = new URL(target);
    this.#stops = stops;
    this.#names = names;
    this.#server = createServer((req, res) => {
      this.#serve(req, res).catch(() => res.destroy());
    });
    this.#server.on('upgrade', (req, socket, head) => {
      const upstream = connect(Number(this.#target.port), this.#target.hostname, () => {
        upstream.write(`${headText(req)}\r\n\r\n`);
        upstream.write(head);
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) end.on('error', () => end.destroy());
    });
  }

  /** Resolves with "HOST:PORT". */
  async listen(host: string): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, host, resolve);
    });
    const { port } = this.#server.address() as AddressInfo;
    return `${host}:${port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.on('error', () => undefined);
    const body = await wholeOf(req);
    const call = `${req.method ?? ''} ${decodeURIComponent(req.url ?? '').replace(/^\/v[\d.]+(?=\/)/, '')}`;
    const stop = this.#stops.take({ call, isAbout: (name) => this.#isAbout(call, body, name) });
    if (stop?.phase === 'asked' && (await stop.hold()) === 'nowhere') {
      res.destroy();
      return;
    }
    if (stop?.phase === 'half asked') await this.#askHalf(req, body, stop);
    const answer = await this.#ask(req, body, res);
    if (stop === undefined && !call.startsWith('POST /containers/create')) await pass(answer, res);
    else await this.#tell(call, answer, { res, stop });
  }

  #isAbout(call: string, body: Buffer, name: string): boolean {
    const [, id = ''] = /\/containers\/([^/?]+)/.exec(call) ?? [];
    const isNamed = id === name || new URLSearchParams(call.split('?')[1]).get('name') === name;
    return isNamed || body.includes(`"name":"${name}"`) || this.#names.get(id) === name;
  }

  /** Never comes to an end but by the stop's, and then nowhere. */
  async #askHalf(req: IncomingMessage, body: Buffer, stop: Stop): Promise<never> {
    const outgoing = this.#request(req, body.length);
    outgoing.on('error', () => undefined);
    await new Promise((resolve) => outgoing.write(body.subarray(0, body.length / 2), resolve));
    await stop.hold();
    outgoing.destroy();
    throw new Error('half a request');
  }

  async #ask(req: IncomingMessage, body: Buffer, res: ServerResponse): Promise<IncomingMessage> {
    return await new Promise((resolve, reject) => {
      const outgoing = this.#request(req, body.length);
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => {
        // A stream that nobody reads any more; work that was asked for goes on.
        if (req.method === 'GET') res.once('close', () => outgoing.destroy());
        resolve(answer);
      });
      outgoing.end(body);
    });
  }

  #request(req: IncomingMessage, length: number): ReturnType<typeof request> {
    return request(this.#target, {
      method: req.method,
      path: req.url,
      agent: false,
      headers: {
        ...withoutEncoding(req.headers),
        connection: 'close',
        ...(length > 0 && { 'content-length': length }),
      },
    });
  }

  async #tell(
    call: string,
    answer: IncomingMessage,
    { res, stop }: { readonly res: ServerResponse; readonly stop: Stop | undefined },
  ): Promise<void> {
    const body = await wholeOf(answer);
    const [, name] = /^POST \/containers\/create\?.*name=([^&]+)/.exec(call) ?? [];
    if (name !== undefined && answer.statusCode === 201) this.#names.set(text(JSON.parse(body.toString()), 'Id'), name);
    if (stop?.phase === 'answered' && (await stop.hold()) === 'nowhere') {
      res.destroy();
      return;
    }
    res.writeHead(answer.statusCode ?? 500, { ...withoutEncoding(answer.headers), 'content-length': body.length });
    if (stop?.phase === 'half answered') {
      res.write(body.subarray(0, body.length / 2));
      await stop.hold();
      res.destroy();
      return;
    }
    res.end(body, () => {
      if (stop?.phase === 'told') stop.hold().catch(() => undefined);
    });
  }
}

async function pass(answer: IncomingMessage, res: ServerResponse): Promise<void> {
  res.writeHead(answer.statusCode ?? 500, answer.headers);
  res.flushHeaders();
  await new Promise<void>((resolve) => {
    answer.on('error', () => res.destroy());
    answer.pipe(res);
    res.once('close', resolve);
  });
}

/** Of a body whose length is told. */
function withoutEncoding(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'transfer-encoding'));
}

async function wholeOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function headText({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1] ?? ''}`] : [],
  );
  return [`${method ?? ''} ${url ?? ''} HTTP/1.1`, ...lines].join('\r\n');
}
