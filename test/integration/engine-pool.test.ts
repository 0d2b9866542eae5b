// The pool of connections to an engine: a change that is sent into a cut network would arrive when the network is whole
// again, so it goes only where an answer has just come from.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createEngineAgent } from '../../src/engine/engine-agent.ts';
import { until } from '../support/until.ts';

describe('the connections to an engine', () => {
  let server: http.Server;
  let agent: http.Agent;
  let opened: number;
  let isOpen: number;

  beforeEach(async () => {
    [opened, isOpen] = [0, 0];
    server = http.createServer((_, res) => {
      res.end('done');
    });
    server.on('connection', (socket) => {
      opened += 1;
      isOpen += 1;
      socket.on('close', () => (isOpen -= 1));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    agent = createEngineAgent(undefined, () => undefined);
  });

  afterEach(() => {
    agent.destroy();
    server.close();
  });

  async function call(method: string): Promise<void> {
    const { port } = server.address() as AddressInfo;
    const request = http.request({ host: '127.0.0.1', port, method, agent });
    const free = once(agent, 'free');
    request.end();
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(await text(answer), 'done');
    await free;
  }

  it('serve changes in a row, and none after a silence', async () => {
    await call('POST');
    await call('DELETE');
    assert.equal(opened, 1);
    await until('the silent connection is closed', () => isOpen === 0);
    await call('POST');
    assert.equal(opened, 2);
  });

  it('serve no change where only reads were answered, and reads after any silence', async () => {
    await call('GET');
    await call('POST');
    assert.equal(opened, 2);
    await until('that of the change is closed', () => isOpen === 1);
    await call('GET');
    assert.equal(opened, 2);
  });

  it('serve everything, again and again, where no other manager makes changes', async () => {
    agent = createEngineAgent(undefined, undefined);
    for (const method of ['GET', 'POST', 'GET', 'DELETE']) await call(method);
    assert.equal(opened, 1);
  });
});
