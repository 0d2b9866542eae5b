// Made-up requests for every operation, thousands of them. Each is answered in time, each refusal is Docker's error
// JSON, and the manager goes on as if nothing had been. SHOAL_FUZZ_SEED and SHOAL_FUZZ_REQUESTS repeat or prolong it.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'mocha';
import { FuzzRequests, type FuzzRequest } from '../support/fuzz-requests.ts';
import { field, text } from '../support/document.ts';
import { PlainClient } from '../support/plain-client.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

const seed = Number(process.env['SHOAL_FUZZ_SEED'] ?? 51);
const requests = Number(process.env['SHOAL_FUZZ_REQUESTS'] ?? 3_000);
const clientsAtOnce = 12;
const patienceMs = 10_000;
/** A successful answer. */
const hasBegun = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (?:101|[23]\d\d) /;
/** One that has begun is left after this silence. */
const silenceMs = 60;
/** What only a mistake in the manager says. */
const ownMistakes =
  /cannot read propert|is not a function|is not iterable|is not defined|call stack|circular|\[object |invalid string length|\bundefined\b|ERR_[A-Z]/i;

describe('made-up requests', () => {
  let shoal: SimulatedCluster;
  let client: PlainClient;
  let webId: string;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: [{}, { apiVersion: '1.51' }] });
    client = new PlainClient(shoal.port, patienceMs);
    webId = await shoal.run({ name: 'web' });
    await restore();
  });

  after(async () => {
    client.close();
    await shoal.stop();
  });

  it(`are all answered, with error JSON where refused (seed ${seed}, ${requests} requests)`, async function () {
    this.timeout(30_000 + requests * 20);
    const source = new FuzzRequests(seed, ['web', webId, webId.slice(0, 12), 'busybox', 'net', 'vol', 'node-1']);
    let made = 0;
    const failures: string[] = [];
    const oneClient = async (): Promise<void> => {
      while (made < requests && failures.length < 10) {
        made += 1;
        const request = source.next();
        if (made % 200 === 0) await restore();
        const trouble = troubleWith(request, await answerTo(request, shoal.port));
        if (trouble !== undefined) failures.push(`request ${made}: ${trouble}\n${shown(request.bytes)}`);
      }
    };
    await Promise.all(Array.from({ length: clientsAtOnce }, oneClient));

    assert.equal(failures.join('\n\n'), '');
    await shoal.api.get('/_ping').expect(200, 'OK');
    await shoal.untilHealthy();
    const info = await shoal.api.get('/info').expect(200);
    assert.equal(field(info.body, 'SystemStatus', 0, 0), 'Role');
  });

  it('reach the engine with every member that nobody knows', async () => {
    const unknown = { 'com.example': [1, { deep: null }], HostConfig: { Unheard: { Of: 'it', '': -0.5 } } };
    const created = await shoal.api.post('/containers/create').send({ Image: 'busybox', ...unknown });
    assert.equal(created.status, 201, created.text);
    const id = text(created.body, 'Id');
    const { body } = shoal.engineOf(id).containers.get(id)!;
    assert.deepEqual(body['com.example'], unknown['com.example']);
    assert.deepEqual(field(body, 'HostConfig', 'Unheard'), unknown.HostConfig.Unheard);
  });

  /** What requests refer to is there again, if one has removed it. */
  async function restore(): Promise<void> {
    await client.call('POST', '/containers/create?name=web', { Image: 'busybox' });
    await client.call('POST', '/images/create?fromImage=busybox&tag=latest');
    await client.call('POST', '/volumes/create', { Name: 'vol' });
    await client.call('POST', '/networks/create', { Name: 'net', CheckDuplicate: true });
    await client.call('POST', '/containers/prune');
  }
});

/** Undefined when all is well. */
function troubleWith(request: FuzzRequest, answer: Answer): string | undefined {
  if (answer.isLate) return `no answer within ${patienceMs} ms`;
  const { status, headers, body } = answer;
  if (status === 0) return request.isTruncated ? undefined : 'the connection was closed without an answer';
  if (status < 400 || request.method === 'HEAD') return undefined;
  // An engine of API 1.41 refuses to attach in this way.
  if (headers.includes('application/vnd.docker.raw-stream')) return undefined;
  // Clients before 1.24 read no JSON.
  if (/^client version .* is too old/.test(body)) return undefined;
  if (!/^content-type: application\/json\r?$/im.test(headers)) return `${status} without JSON: ${headers}`;
  const message = messageIn(body);
  if (message === undefined) return `${status} without a message: ${body.slice(0, 300)}`;
  if (ownMistakes.test(message.replaceAll(/"[^"]*"/g, ''))) return `${status} ${message.slice(0, 300)}`;
  return undefined;
}

function messageIn(body: string): string | undefined {
  try {
    const message = field(JSON.parse(body), 'message');
    return typeof message === 'string' && message !== '' ? message : undefined;
  } catch {
    return undefined;
  }
}

interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  readonly headers: string;
  /** Without its framing. */
  readonly body: string;
  readonly isLate: boolean;
}

/** Sends it on a connection of its own, and reads until the end, or until a successful answer pauses. */
async function answerTo({ bytes, isTruncated }: FuzzRequest, port: number): Promise<Answer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const pieces: Buffer[] = [];
  let isLate = false;
  await new Promise<void>((resolve) => {
    const patience = setTimeout(() => {
      isLate = true;
      socket.destroy();
    }, patienceMs);
    let silence: NodeJS.Timeout | undefined;
    socket.on('data', (piece) => {
      pieces.push(piece);
      if (!hasBegun.test(Buffer.concat(pieces).toString('latin1', 0, 64))) return;
      clearTimeout(silence);
      silence = setTimeout(() => socket.destroy(), silenceMs);
    });
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(patience);
      clearTimeout(silence);
      resolve();
    });
    socket.write(bytes);
    if (isTruncated) socket.end();
  });
  return { ...parsed(Buffer.concat(pieces).toString('utf8')), isLate };
}

function parsed(received: string): Omit<Answer, 'isLate'> {
  const whole = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const end = whole.indexOf('\r\n\r\n');
  const headers = end === -1 ? whole : whole.slice(0, end);
  const rest = end === -1 ? '' : whole.slice(end + 4);
  const isChunked = /^transfer-encoding: chunked\r?$/im.test(headers);
  // Refusals are one small chunk.
  const body = isChunked ? rest.replaceAll(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '') : rest;
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1] ?? 0), headers, body };
}

function shown(bytes: Buffer): string {
  return bytes.toString('latin1').slice(0, 1_500);
}
