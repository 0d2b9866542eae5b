// Input of the worst kind meets a JSON error or a closed connection, costs little memory, and disturbs nobody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'mocha';
import { text } from '../support/document.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

const mebibyte = 1024 * 1024;
const answerWithinMs = 20_000;
/** What a body that cannot be understood gets: the older engines say 500. */
const badBody = [400, 500];

describe('hostile input', () => {
  let rig: Rig;
  let idleBytes: number;
  const ended: string[] = [];
  const open = new Set<Socket>();

  before(async () => {
    rig = await startRig({
      engines: ['20.10', '28.5', '20.10'],
      onUnexpectedExit: (process) => ended.push(process.name),
    });
    assert.equal((await rig.docker(['run', '-d', '--name', 'witness', 'busybox', 'sleep', '3600'])).code, 0);
    // An engine keeps a container to itself as long as files are being sent to it.
    assert.equal((await rig.docker(['create', '--name', 'victim', 'busybox'])).code, 0);
    idleBytes = managerBytes();
  });

  afterEach(async () => {
    assert.deepEqual(ended, []);
    assert.doesNotMatch(rig.manager.log(), /unhandled|uncaught|TypeError|RangeError|ReferenceError/i);
    assert.ok(managerBytes() < idleBytes + 200 * mebibyte, `${Math.round(managerBytes() / mebibyte)} MiB in use`);
    const { code, stdout } = await rig.docker(['exec', 'witness', 'echo', 'here']);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'here\n' });
    for (const socket of open) socket.destroy();
  });

  after(async () => {
    for (const socket of open) socket.destroy();
    await rig.stop();
  });

  it('of malformed JSON is refused with a message', async () => {
    const bodies = ['{', '{"Image":', '[]', '"text"', '1', 'null', '{"Image":"busybox"', '\u0000', 'x'.repeat(70_000)];
    const paths = [
      '/containers/create',
      '/containers/witness/exec',
      '/containers/witness/update',
      '/networks/create',
      '/networks/bridge/connect',
      '/volumes/create',
    ];
    for (const path of paths) {
      for (const body of bodies) {
        const answer = await exchange(post(path, body));
        // An object where all is optional may be left out, and dockerd takes `null` for it.
        if (body === 'null' && answer.status < 300) continue;
        assertRefused(answer, badBody, `${path} ${body.slice(0, 20)}`);
      }
    }
  });

  it('of wrong types is refused with a message', async () => {
    const bodies: readonly unknown[] = [
      { Image: 1 },
      { Image: ['busybox'] },
      { Image: 'busybox', Env: 'A=1' },
      { Image: 'busybox', Env: [1, {}] },
      { Image: 'busybox', Labels: ['a'] },
      { Image: 'busybox', HostConfig: [] },
      { Image: 'busybox', HostConfig: 'none' },
      { Image: 'busybox', HostConfig: { PortBindings: { '80/tcp': {} } } },
      { Image: 'busybox', HostConfig: { PortBindings: { '80/tcp': [{ HostPort: 80 }] } } },
      { Image: 'busybox', HostConfig: { Binds: 'a:b' } },
      { Image: 'busybox', HostConfig: { Memory: 'much' } },
      { Image: 'busybox', HostConfig: { NanoCpus: {} } },
      { Image: 'busybox', NetworkingConfig: { EndpointsConfig: [] } },
      { Image: '' },
      {},
    ];
    for (const body of bodies) {
      const answer = await exchange(post('/containers/create', JSON.stringify(body)));
      assertRefused(answer, badBody, JSON.stringify(body));
    }
  });

  it('of wrong parameters is refused with a message', async () => {
    for (const path of [
      '/containers/json?filters=%7B',
      '/containers/json?filters=%5B1%5D',
      '/containers/json?filters=%7B%22no-such-filter%22%3A%5B%22a%22%5D%7D',
      '/containers/json?limit=many',
      '/images/json?filters=x',
      '/networks?filters=x',
      '/volumes?filters=x',
      '/events?filters=x',
      '/events?since=yesterday',
    ]) {
      assertRefused(await exchange(`GET ${path} HTTP/1.1\r\nHost: shoal\r\nConnection: close\r\n\r\n`), [400], path);
    }
  });

  it('of 2,000 random methods and paths is answered, every error as JSON', async () => {
    const random = randomNumbers(7);
    const requests = Array.from({ length: 2_000 }, () => randomRequest(random));
    await inParallel(32, requests, async (request) => {
      const answer = await exchange(request);
      assert.ok(answer.status >= 200 && answer.status < 600, `${request} gives ${answer.head}`);
      if (answer.status >= 400) assertRefused(answer, [answer.status], request);
    });
  });

  it('that is no HTTP is answered with 400 or closed', async () => {
    for (const bytes of [
      'hello\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /_ping HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n',
      'POST /containers/create HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n',
      'POST /containers/create HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /containers/create HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      `GET /_ping HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(2_000_000)}\r\n\r\n`,
      `GET /${'x'.repeat(2_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    ]) {
      const answer = await exchange(bytes);
      assert.ok(answer.head === '' || (answer.status >= 400 && answer.status < 500), answer.head);
    }
  });

  for (const framing of ['Content-Length', 'chunked'] as const) {
    it(`of 100 MB where an object is expected is refused and not kept (${framing})`, async () => {
      let peakBytes = 0;
      const watch = setInterval(() => (peakBytes = Math.max(peakBytes, managerBytes())), 20);
      try {
        await Promise.all(
          ['/containers/create', '/networks/create', '/containers/witness/exec'].map(async (path) => {
            const answer = await exchange(head('POST', path, framing), (socket) => sendMuch(socket, framing));
            // Whoever still sends when the connection is closed may lose the answer.
            if (answer.head !== '') assertRefused(answer, [400, 413], path);
          }),
        );
      } finally {
        clearInterval(watch);
      }
      assert.ok(peakBytes < idleBytes + 200 * mebibyte, `${Math.round(peakBytes / mebibyte)} MiB at the peak`);
    });
  }

  it('of 300 half-sent requests disturbs nobody', async () => {
    const halves = [
      'GET /containers/js',
      'POST /containers/create HTTP/1.1\r\nHost: a\r\nContent-Le',
      'POST /containers/create HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"Image":',
      'POST /containers/create HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"Image"',
      'POST /exec/none/start HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 99\r\n\r\n{',
      'PUT /containers/victim/archive?path=/tmp HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nabc',
    ];
    for (let count = 0; count < 300; count += 1) (await dial()).write(halves[count % halves.length]!);
    await servesInTime();
  });

  it('of 1,000 idle connections disturbs nobody', async () => {
    await inParallel(50, Array.from({ length: 1_000 }), async () => {
      await dial();
    });
    await servesInTime();
  });

  async function servesInTime(): Promise<void> {
    for (const path of ['/_ping', '/info', '/containers/json', '/containers/witness/json', '/containers/witness/top']) {
      const start = performance.now();
      assert.equal((await rig.api('GET', path)).status, 200);
      const tookMs = performance.now() - start;
      assert.ok(tookMs < 3_000, `${path} took ${Math.round(tookMs)} ms`);
    }
  }

  /** Resident memory. */
  function managerBytes(): number {
    const status = readFileSync(`/proc/${rig.manager.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  async function dial(): Promise<Socket> {
    const socket = await rig.manager.dial();
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    return socket;
  }

  /** Sends bytes, then what `more` sends; resolves with the first answer as soon as it is complete. */
  async function exchange(bytes: string, more?: (socket: Socket) => Promise<void>): Promise<Answer> {
    const socket = await dial();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    let isClosed = false;
    socket.on('close', () => (isClosed = true));
    socket.write(bytes, 'latin1');
    const sent = more?.(socket);
    await until(
      `${JSON.stringify(bytes.slice(0, 200))} is answered`,
      () => isClosed || isComplete(Buffer.concat(chunks).toString('latin1')),
      answerWithinMs,
    );
    socket.destroy();
    await sent;
    return parseAnswer(Buffer.concat(chunks).toString());
  }
});

interface Answer {
  /** 0 without an answer. */
  readonly status: number;
  /** Empty when the connection was closed without an answer. */
  readonly head: string;
  readonly body: string;
}

/** Every answer that is not an error may be a stream: its head is enough. */
function isComplete(answer: string): boolean {
  const { status, head, body } = parseAnswer(answer);
  if (head === '') return false;
  if (status < 400) return true;
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  return length === undefined ? body.includes('\r\n0\r\n') : body.length >= Number(length) || body === '';
}

function parseAnswer(answer: string): Answer {
  const end = answer.indexOf('\r\n\r\n');
  if (end === -1) return { status: 0, head: '', body: '' };
  const head = answer.slice(0, end);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: answer.slice(end + 4) };
}

function assertRefused(answer: Answer, statuses: readonly number[], what: string): void {
  assert.ok(statuses.includes(answer.status), `${what} gives ${answer.head}\n${answer.body}`);
  if (answer.body === '') return;
  assert.match(answer.head, /^content-type: application\/json/im, `${what} gives ${answer.head}`);
  assert.notEqual(text(JSON.parse(answer.body), 'message'), '', what);
}

function post(path: string, body: string): string {
  const length = Buffer.byteLength(body);
  return `POST ${path} HTTP/1.1\r\nHost: shoal\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

const muchBytes = 100 * mebibyte;

function head(method: string, path: string, framing: 'Content-Length' | 'chunked'): string {
  const size = framing === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${muchBytes}`;
  return `${method} ${path} HTTP/1.1\r\nHost: shoal\r\nContent-Type: application/json\r\n${size}\r\n\r\n`;
}

/** A text without end inside an object that is never closed. */
async function sendMuch(socket: Socket, framing: 'Content-Length' | 'chunked'): Promise<void> {
  const piece = Buffer.alloc(mebibyte, 'x');
  const opening = Buffer.from('{"Image":"');
  const gone = once(socket, 'close');
  for (let sent = 0; sent < muchBytes && !socket.destroyed; sent += mebibyte) {
    if (sent === 0) opening.copy(piece);
    else piece.fill('x', 0, opening.length);
    const frame = framing === 'chunked' ? [`${mebibyte.toString(16)}\r\n`, piece, '\r\n'] : [piece];
    let isTaken = true;
    for (const part of frame) isTaken = socket.write(part);
    if (!isTaken) await Promise.race([once(socket, 'drain'), gone]);
  }
  if (framing === 'chunked') socket.write('0\r\n\r\n');
}

/** The same numbers, from 0 up to `limit`, for the same seed. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'LINK'];
const words = [
  ...[
    'containers',
    'images',
    'networks',
    'volumes',
    'exec',
    'nodes',
    'services',
    'swarm',
    'plugins',
    'system',
    'build',
  ],
  ...['json', 'create', 'start', 'stop', 'wait', 'logs', 'archive', 'attach', 'ws', 'resize', 'history', 'tag', 'df'],
  ...['_ping', 'version', 'info', 'session', 'grpc', 'commit', 'auth', 'distribution', 'search', 'load', 'get', 'push'],
  ...[
    'v1.24',
    'v1.41',
    'v1.51',
    'v1.99',
    'v0.1',
    'v1',
    '..',
    '.',
    '',
    '%2e%2e',
    '%2F',
    '%00',
    '%zz',
    '%ff',
    '%F0%9F%90%9F',
  ],
  ...[
    'nobody',
    'node-1',
    'node-1%2Fnobody',
    '0123456789ab',
    'a'.repeat(300),
    '<script>',
    "'",
    '{}',
    '*',
    ':',
    '@',
    '\xff\xfe',
  ],
];
const queries = [
  ...['', '', '', '?', '?all=1', '?all=perhaps', '?filters={}', '?filters=%7B', '?limit=-1', '?limit=1e99', '?name=/'],
  ...[
    '?stream=0',
    '?stdout=1',
    '?path=..%2f..',
    '?h=-1&w=x',
    '?=&=',
    '?%',
    '?force=1&force=0',
    `?x=${'y'.repeat(9_000)}`,
  ],
];

function randomRequest(random: (limit: number) => number): string {
  const pick = (from: readonly string[]): string => from[random(from.length)]!;
  const path = Array.from({ length: 1 + random(5) }, () => pick(words)).join('/');
  const lines = [`${pick(methods)} /${path}${pick(queries)} HTTP/1.1`, 'Host: shoal', 'Connection: close'];
  const body = random(3) === 0 ? '{"Name":["x"]}' : '';
  if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${body.length}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

async function inParallel<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
