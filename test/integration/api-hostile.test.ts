import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

describe('hostile input', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    await shoal.run({ name: 'web' });
  });

  after(async () => {
    await shoal.api.get('/_ping').expect(200);
    await shoal.stop();
  });

  const bodies: readonly (readonly [string, string])[] = [
    ['broken JSON', '{'],
    ['two values', '{} {}'],
    ['a string', '"x"'],
    ['deep nesting', '['.repeat(200_000)],
    ['deep nesting of objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['invalid UTF-8 in a broken value', '{"Image": \u{FFFF}'],
  ];
  for (const [title, body] of bodies) {
    for (const path of ['/containers/create', '/networks/create', '/volumes/create']) {
      it(`answers ${title} at ${path} with a JSON error`, async () => {
        const answer = await shoal.api.post(path).set('Content-Type', 'application/json').send(body);

        assert.ok(answer.status >= 400 && answer.status < 600, String(answer.status));
        assert.equal(typeof (answer.body as { message?: unknown }).message, 'string');
      });
    }
  }

  it('refuses a body that is announced too large, without reading it', async () => {
    const client = await shoal.openRaw();
    client.write(
      'POST /containers/create HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{"a":',
    );

    await client.untilText('HTTP/1.1 413');
    client.destroy();
  });

  it('refuses an endless chunked body as soon as it is too large', async () => {
    const client = await shoal.openRaw();
    client.write(
      'POST /containers/create HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, ' '), Buffer.from('\r\n')]);
    for (let sent = 0; sent < 10; sent += 1) client.write(chunk);

    await client.untilText('HTTP/1.1 413');
    client.destroy();
  });

  const garbage: readonly (readonly [string, string, RegExp])[] = [
    ['no HTTP', 'hello there\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['broken percent-encoding', 'GET /containers/%zz/json HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a NUL in the path', 'GET /containers/%00/json HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 404 /],
    ['a target that is no path', 'GET containers HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 4\d\d /],
    ['a CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', /^HTTP\/1\.1 404 /],
    [
      'two lengths',
      'POST /containers/create HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['a head of 2 MB', `GET /info?${'a'.repeat(2_000_000)} HTTP/1.1\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'an upgrade with a broken chunk',
      'POST /containers/web/attach HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      /^HTTP\/1\.1 400 /,
    ],
  ];
  for (const [title, bytes, answer] of garbage) {
    it(`answers ${title} and closes or goes on`, async () => {
      const client = await shoal.openRaw();
      client.write(bytes);

      const text = await client.untilText(/\r\n\r\n\{"message":"(?:[^"\\]|\\.)*"\}\n/);
      assert.match(text, answer);
      client.destroy();
    });
  }

  it('serves a query of 64 KB', async () => {
    await shoal.api.get(`/info?x=${'a'.repeat(65_536)}`).expect(200);
  });

  it('answers thousands of random requests, each with JSON or a status of success', async () => {
    const random = seeded(42);
    const client = await shoal.openRaw();
    const total = 2000;
    for (let sent = 0; sent < total; sent += 1) client.write(randomRequest(random));
    client.write('GET /_ping HTTP/1.1\r\nX-Last: 1\r\nConnection: close\r\n\r\n');

    const text = await client.untilEnd();
    const statuses = text.match(/^HTTP\/1\.1 \d{3}/gm) ?? [];
    assert.equal(statuses.length, total + 1);
    assert.deepEqual(
      statuses.filter((status) => status.endsWith('500')),
      [],
    );
    assert.match(text, /\r\n\r\nOK$/);
    client.destroy();
  });

  it('serves others while many connections do nothing or send half a request', async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => shoal.openRaw()));
    clients.forEach((client, index) => {
      if (index % 2 === 0) client.write('POST /containers/create HTTP/1.1\r\nContent-Length: 50\r\n');
    });

    await shoal.api.get('/containers/web/json').expect(200);
    for (const client of clients) client.destroy();
  });
});

/** Deterministic numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** A request that is answered at once: no stream, no upgrade, no body. */
function randomRequest(random: () => number): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? '';
  const words = [
    'containers',
    'images',
    'json',
    'nope',
    'a%2Fb',
    '%20',
    'v1.41',
    'v9',
    '~',
    'x'.repeat(300),
    'networks',
    'é',
    '{}',
    'start',
  ];
  const segments = Array.from({ length: Math.floor(random() * 5) }, () => encodeURI(pick(words)));
  const query = random() < 0.3 ? `?${pick(['all=1', 'filters={', 'filters=%7B%7D', '=', '&&', 'limit=x'])}` : '';
  return `${pick(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'])} /${segments.join('/')}${query} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`;
}
