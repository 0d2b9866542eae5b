// One session with one ZooKeeper server, which ends with its connection: nothing is taken up again, whoever needs it opens
// another. A server that says nothing for two thirds of the session's time is given up.
import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { withResolvers, type Resolvers } from '../../src/common/abort.ts';
import { Deadline } from '../../src/common/deadline.ts';
import { readCredentials, type CredentialSource } from '../credentials.ts';
import type { HostPort } from '../entry.ts';
import type { TlsFiles, TlsMaterial } from '../tls-files.ts';
import { FrameCutter, operation, refusal, reserved, WireReader, WireWriter, ZooKeeperError } from './wire.ts';
import type { NodeStat } from './wire.ts';

/** How the servers are reached. */
export interface ZooKeeperConnection {
  /** Asked in turn: the next one when one does not answer. */
  readonly servers: readonly [HostPort, ...HostPort[]];
  readonly credentials: CredentialSource;
  readonly tls?: TlsFiles;
}

export interface SessionOptions {
  readonly address: HostPort;
  /** Undefined for plain connections. */
  readonly tls: TlsMaterial | undefined;
  readonly credentials: CredentialSource;
  /** How long the server keeps a silent session; it may grant another time. */
  readonly timeoutMs: number;
  /** Told the path of a node that was watched and has changed, or got or lost children. */
  readonly onChange: (path: string) => void;
  readonly onOver: (reason: Error) => void;
}

const connectTimeoutMs = 5_000;
const closeTimeoutMs = 500;
const ephemeral = 1;
const allRights = 31;
const anyVersion = -1;
const answerTimeoutMs = 5_000;

export interface NodeContent {
  readonly text: string;
  readonly stat: NodeStat;
}

export class ZooKeeperSession {
  /** Resolves with the reason when the session is over. */
  readonly ended: Promise<Error>;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #frames = new FrameCutter();
  readonly #end = withResolvers<Error>();
  readonly #opened = withResolvers<undefined>();
  /** Answers come in the order of the requests. */
  readonly #waiting: Resolvers<WireReader>[] = [];
  #isOpen = false;
  #isOver = false;
  #hasCredentials = false;
  #id = 0n;
  #lastNumber = 0;
  #heardAtMs = performance.now();
  #pings: NodeJS.Timeout | undefined;

  /** Rejects when no session comes about within 5 s, or `signal` aborts. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<ZooKeeperSession> {
    const credentials = await readCredentials(options.credentials);
    signal.throwIfAborted();
    const session = new ZooKeeperSession(options);
    const giveUp = (): void => {
      session.#over(new Error('zookeeper did not open a session in time'));
    };
    const deadline = setTimeout(giveUp, connectTimeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await session.#opened.promise;
      if (credentials) session.#authenticate(`${credentials.user}:${credentials.password}`);
      return session;
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', giveUp);
    }
  }

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.ended = this.#end.promise;
    // A failure before the session is open has no other waiter.
    this.#opened.promise.catch(() => undefined);
    this.#socket = connect(options);
    this.#socket.setNoDelay(true);
    this.#socket.on(options.tls ? 'secureConnect' : 'connect', () => {
      this.#greet();
    });
    this.#socket.on('data', (chunk) => {
      this.#receive(chunk);
    });
    this.#socket.on('error', (error) => {
      this.#over(error);
    });
    this.#socket.on('close', () => {
      this.#over(new Error('zookeeper closed the connection'));
    });
  }

  get id(): bigint {
    return this.#id;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The session does not keep the process alive. */
  unref(): void {
    this.#socket.unref();
    this.#pings?.unref();
  }

  /** Rejects with a ZooKeeperError of `nodeExists` when it is there, of `noNode` when its parent is not. */
  async create(path: string, content: string, life: 'persistent' | 'ephemeral'): Promise<void> {
    const [scheme, id] = this.#hasCredentials ? ['auth', ''] : ['world', 'anyone'];
    await this.#ask(operation.create, (request) =>
      request
        .text(path)
        .text(content)
        .int32(1)
        .int32(allRights)
        .text(scheme)
        .text(id)
        .int32(life === 'ephemeral' ? ephemeral : 0),
    );
  }

  /** Makes a node of that path, and of each path above it, that is not there. */
  async createFolder(path: string): Promise<void> {
    const names = path.split('/').slice(1);
    for (let depth = 1; depth <= names.length; depth += 1) {
      const folder = `/${names.slice(0, depth).join('/')}`;
      await unless(refusal.nodeExists, this.create(folder, '', 'persistent'));
    }
  }

  /** Rejects when the node has another version by now. */
  async remove(path: string, version = anyVersion): Promise<void> {
    await this.#ask(operation.delete, (request) => request.text(path).int32(version));
  }

  /** Rejects when the node has another version by now. */
  async write(path: string, content: string, version: number): Promise<NodeStat> {
    const answer = await this.#ask(operation.setData, (request) => request.text(path).text(content).int32(version));
    return answer.stat();
  }

  /** Undefined when there is no such node. */
  async stat(path: string, watch: 'watch' | 'once' = 'once'): Promise<NodeStat | undefined> {
    return await ifThere(this.#read(operation.exists, path, watch).then((answer) => answer.stat()));
  }

  /** The content, watched from now on; undefined when there is no such node, and then nothing is watched. */
  async read(path: string, watch: 'watch' | 'once' = 'watch'): Promise<NodeContent | undefined> {
    const answer = this.#read(operation.getData, path, watch);
    return await ifThere(answer.then((node) => ({ text: node.text(), stat: node.stat() })));
  }

  /** The names of the children, watched from now on; undefined when there is no such node, and then nothing is watched. */
  async children(path: string, watch: 'watch' | 'once' = 'watch'): Promise<readonly string[] | undefined> {
    return await ifThere(this.#read(operation.getChildren, path, watch).then((answer) => answer.texts()));
  }

  /** Ends the session at the server too, with everything that lives as long as it. May be called more than once. */
  close(): void {
    if (this.#isOver) return;
    if (!this.#isOpen) this.#socket.destroy();
    else {
      this.#socket.end(
        new WireWriter()
          .int32(this.#lastNumber + 1)
          .int32(operation.closeSession)
          .frame(),
      );
      // The server closes the connection then; one that hangs does not.
      setTimeout(() => this.#socket.destroy(), closeTimeoutMs).unref();
    }
    this.#finish(new Error('the session is closed'));
  }

  #read(kind: number, path: string, watch: 'watch' | 'once'): Promise<WireReader> {
    return this.#ask(kind, (request) => request.text(path).flag(watch === 'watch' ? 'yes' : 'no'));
  }

  #ask(kind: number, fill: (request: WireWriter) => WireWriter): Promise<WireReader> {
    const answer = withResolvers<WireReader>();
    if (this.#isOver) answer.reject(new Error('the session with zookeeper is over'));
    else {
      this.#lastNumber += 1;
      this.#waiting.push(answer);
      this.#socket.write(fill(new WireWriter().int32(this.#lastNumber).int32(kind)).frame());
    }
    return answer.promise;
  }

  #greet(): void {
    const noSession = new WireWriter().int32(0).int64(0n).int32(this.#options.timeoutMs).int64(0n);
    this.#socket.write(noSession.bytes(Buffer.alloc(16)).flag('no').frame());
  }

  #authenticate(text: string): void {
    this.#hasCredentials = true;
    const request = new WireWriter().int32(reserved.auth).int32(operation.auth);
    this.#socket.write(request.int32(0).text('digest').text(text).frame());
  }

  #receive(chunk: Buffer): void {
    this.#heardAtMs = performance.now();
    try {
      for (const frame of this.#frames.push(chunk)) {
        const message = new WireReader(frame);
        if (this.#isOpen) this.#take(message);
        else this.#takeGreeting(message);
      }
    } catch (error) {
      this.#over(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #takeGreeting(message: WireReader): void {
    message.int32();
    const timeoutMs = message.int32();
    if (timeoutMs <= 0) throw new Error('zookeeper refuses a session');
    this.#id = message.int64();
    this.#isOpen = true;
    this.#pings = setInterval(() => {
      this.#ping(timeoutMs);
    }, timeoutMs / 3);
    this.#opened.resolve(undefined);
  }

  #ping(timeoutMs: number): void {
    if (performance.now() - this.#heardAtMs > (timeoutMs * 2) / 3) this.#over(new Error('zookeeper is silent'));
    else this.#socket.write(new WireWriter().int32(reserved.ping).int32(operation.ping).frame());
  }

  #take(message: WireReader): void {
    const { number, error } = message.replyHeader();
    if (number === reserved.ping) return;
    if (number === reserved.event) this.#takeEvent(message);
    else if (number === reserved.auth) {
      if (error !== 0) throw new ZooKeeperError(error);
    } else {
      const waiting = this.#waiting.shift();
      if (error === 0) waiting?.resolve(message);
      else waiting?.reject(new ZooKeeperError(error));
    }
  }

  #takeEvent(message: WireReader): void {
    message.int32();
    message.int32();
    this.#options.onChange(message.text());
  }

  #over(reason: Error): void {
    if (this.#isOver) return;
    this.#socket.destroy();
    this.#finish(reason);
  }

  #finish(reason: Error): void {
    this.#isOver = true;
    clearInterval(this.#pings);
    this.#opened.reject(reason);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
    this.#end.resolve(reason);
    this.#options.onOver(reason);
  }
}

/** `work`, whose session is closed when it takes too long or `signal` aborts: that ends every request on its way. */
export async function within<T>(signal: AbortSignal, session: ZooKeeperSession, work: Promise<T>): Promise<T> {
  const deadline = new Deadline(answerTimeoutMs, [signal]);
  const giveUp = (): void => {
    session.close();
  };
  deadline.signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await work;
  } finally {
    deadline.signal.removeEventListener('abort', giveUp);
    deadline.clear();
  }
}

/** `work`, but for a refusal of that number. */
export async function unless(code: number, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ZooKeeperError) || error.code !== code) throw error;
  }
}

function connect({ address: { host, port }, tls }: SessionOptions): Socket {
  if (!tls) return connectPlain({ host, port });
  return connectTls({ host, port, ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) });
}

async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === refusal.noNode) return undefined;
    throw error;
  }
}
