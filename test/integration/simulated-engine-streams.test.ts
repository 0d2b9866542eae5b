// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'mocha';
import { anEngine, ask, connectTo, stopsItsEngines } from '../support/asked-engine.ts';
import { textAt } from '../support/simulated-engine/json.ts';
import { until } from '../support/until.ts';

describe('the simulated engine with hijacked connections', () => {
  stopsItsEngines();

  it('echoes an attached terminal byte for byte until the client ends its side', async () => {
    const engine = await anEngine({});
    engine.createDirectly({ name: 'tty', body: { Tty: true } });
    const client = await connectTo(engine);
    client.write(`${attachHead('tty', 'stream=1&stdin=1&stdout=1', 'Content-Length: 0')}early `);
    client.end('late');
    const { head, body } = await answerOf(client);
    assert.match(head, /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/);
    assert.equal(body, 'early late');
  });

  it('reads past the chunked body that some clients send with an upgrade', async () => {
    const engine = await anEngine({});
    engine.createDirectly({ name: 'tty', body: { Tty: true } });
    const client = await connectTo(engine);
    client.write(attachHead('tty', 'stream=1&stdin=1&stdout=1', 'Transfer-Encoding: chunked'));
    client.write('0\r\n');
    client.end('\r\nhello');
    assert.equal((await answerOf(client)).body, 'hello');
  });

  it('frames the output of a container without terminal and ends with it', async () => {
    const engine = await anEngine({});
    engine.createDirectly({ name: 'job' });
    const client = await connectTo(engine);
    client.end(attachHead('job', 'stream=1&stdout=1&stderr=1', 'Content-Length: 0'));
    await until('the client is attached', () => engine.findContainer('job')?.listeners.size === 1);
    engine.print('job', 'hi');
    engine.exit('job', 0);
    assert.equal((await answerOf(client)).body, '\x01\0\0\0\0\0\0\x02hi');
  });

  it('ends a container whose only input was closed', async () => {
    const engine = await anEngine({});
    const container = engine.createDirectly({ name: 'cat', body: { OpenStdin: true, StdinOnce: true } });
    const client = await connectTo(engine);
    client.end(attachHead('cat', 'stream=1&stdin=1&stdout=1', 'Content-Length: 0'));
    await answerOf(client);
    assert.deepEqual([container.status, container.exitCode], ['exited', 0]);
  });

  it('runs an exec once, with its JSON body before the stream', async () => {
    const engine = await anEngine({});
    engine.createDirectly({ name: 'web' });
    const created = await ask(engine, 'POST', '/containers/web/exec', { body: { Cmd: ['cat'], Tty: true } });
    const id = textAt(created.json, 'Id');
    const client = await connectTo(engine);
    client.end(`${execHead(id, 'Connection: Upgrade\r\nUpgrade: tcp\r\n')}{"Tty":true}ping`);
    const { head, body } = await answerOf(client);
    assert.match(head, /^HTTP\/1\.1 101 UPGRADED\r\n[^]*Api-Version: 1\.41/);
    assert.equal(body, 'ping');
    assert.equal((await ask(engine, 'GET', `/exec/${id}/json`)).json['ExitCode'], 0);
    assert.equal((await ask(engine, 'POST', `/exec/${id}/start`, { body: {} })).status, 409);
  });

  it('gives the bare connection with 200 to a client that asks for no upgrade', async () => {
    const engine = await anEngine({});
    engine.createDirectly({ name: 'web' });
    const created = await ask(engine, 'POST', '/containers/web/exec', { body: { Cmd: ['cat'], Tty: true } });
    const client = await connectTo(engine);
    client.write(`${execHead(textAt(created.json, 'Id'), '')}{"Tty":true}`);
    const answer = answerOf(client);
    await until('the head has come', () => client.bytesRead > 0);
    client.end('GET / not HTTP');
    const { head, body } = await answer;
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(body, 'GET / not HTTP');
  });

  it('answers an upgrade that it refuses with an ordinary answer', async () => {
    const engine = await anEngine({ apiVersion: '1.45' });
    const client = await connectTo(engine);
    client.write(attachHead('nope', 'stream=1', 'Content-Length: 0'));
    const { head, body } = await answerOf(client);
    assert.match(head, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.deepEqual(JSON.parse(body), { message: 'No such container: nope' });
  });

  it('echoes sessions', async () => {
    const client = await connectTo(await anEngine({}));
    client.end('POST /session HTTP/1.1\r\nHost:\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0');
    const { head, body } = await answerOf(client);
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c$/);
    assert.equal(body, 'PRI * HTTP/2.0');
  });
});

function attachHead(name: string, query: string, framing: string): string {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
  return `POST /v1.41/containers/${name}/attach?${query} HTTP/1.1\r\nHost: x\r\n${upgrade}${framing}\r\n\r\n`;
}

/** For the body {"Tty":true}. */
function execHead(id: string, upgrade: string): string {
  const framing = 'Content-Type: application/json\r\nContent-Length: 12\r\n';
  return `POST /exec/${id}/start HTTP/1.1\r\nHost: x\r\n${upgrade}${framing}\r\n`;
}

/** Everything until the engine ends its side. */
async function answerOf(client: Socket): Promise<{ readonly head: string; readonly body: string }> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(client, 'end');
  const text = Buffer.concat(chunks).toString('latin1');
  const split = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, split), body: text.slice(split + 4) };
}
