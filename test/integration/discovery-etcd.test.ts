// How an etcd server is spoken to, against a server that plays its part.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { EtcdServer } from '../../discovery/etcd/gateway.ts';
import { close, listen } from '../support/http-servers.ts';

const never = new AbortController().signal;
const range = { path: 'kv/range', body: {} };

describe('an etcd server', () => {
  let server: Server;
  let port: number;
  let asked: string[];
  /** The one token that is taken; undefined: no token is asked for. */
  let token: string | undefined;
  let folder: string;

  beforeEach(async () => {
    asked = [];
    token = undefined;
    folder = await mkdtemp(join(tmpdir(), 'shoal-etcd-'));
    server = createServer((req, res) => {
      text(req).then((body) => {
        asked.push(`${String(req.url)} ${req.headers.authorization ?? '-'}`);
        if (req.url === '/v3/auth/authenticate') {
          const isRight = body.includes('"name":"shoal"') && body.includes('"password":"a:b"');
          res.writeHead(isRight ? 200 : 400).end(JSON.stringify({ token }));
        } else if (req.url === '/v3/watch') res.write('{"result":{"created":true}}\n{"result":{"events":[1]}}\n');
        else if (token !== undefined && req.headers.authorization !== token) res.writeHead(401).end('{"code":16}');
        else res.end('{"header":{}}');
      }, res.destroy.bind(res));
    });
    port = await listen(server);
  });

  afterEach(async () => {
    await close(server);
    await rm(folder, { recursive: true, force: true });
  });

  function connect(credentials: { readonly text?: string; readonly file?: string } = {}): EtcdServer {
    return new EtcdServer({ address: { host: '127.0.0.1', port }, tls: undefined, credentials });
  }

  it('is asked without a token when there are no credentials, and its refusal has its status', async () => {
    assert.deepEqual(await connect().call(range, never), { header: {} });
    token = 'x';
    await assert.rejects(connect().call(range, never), { status: 401 });
    assert.deepEqual(asked, ['/v3/kv/range -', '/v3/kv/range -']);
  });

  it('gives a token for a user, and another one when it has forgotten that', async () => {
    const etcd = connect({ text: 'shoal:a:b' });
    token = 'first';
    await etcd.call(range, never);
    token = 'second';
    await etcd.call(range, never);

    assert.deepEqual(asked, [
      '/v3/auth/authenticate -',
      '/v3/kv/range first',
      '/v3/kv/range first',
      '/v3/auth/authenticate -',
      '/v3/kv/range second',
    ]);
  });

  it('is asked with the password that its file has by then', async () => {
    const file = join(folder, 'auth');
    token = 'x';
    await writeFile(file, 'shoal:wrong\n');
    const etcd = connect({ file });
    await assert.rejects(etcd.call(range, never), { status: 400 });
    await writeFile(file, 'shoal:a:b\n');
    await etcd.call(range, never);
  });

  it('gives messages for as long as they are wanted', async () => {
    const over = new AbortController();
    const messages: unknown[] = [];
    const following = (async () => {
      for await (const message of connect().stream({ path: 'watch', body: {} }, over.signal)) {
        messages.push(message);
        if (messages.length === 2) over.abort();
      }
    })();

    await assert.rejects(following);
    assert.deepEqual(messages, [{ result: { created: true } }, { result: { events: [1] } }]);
  });
});
