import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, it } from 'mocha';
import { processArguments, runHealth } from '../../src/cli/health.ts';

describe('the health of a container', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) await once(server.close(), 'close');
  });

  async function port(react: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      react(socket);
    });
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  const answering = (socket: Socket): void => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  };
  const silent = (): void => undefined;
  const main = '/shoal/dist/src/main.js';

  it('is good when each address of the manager answers', async () => {
    const [one, two] = [await port(answering), await port((socket) => socket.end())];
    const hosts = ['--host', `tcp://0.0.0.0:${one}`, '-H', `tcp://127.0.0.1:${two}`];
    await runHealth(['node', main, 'manage', ...hosts, '10.0.0.1:2375'], {});
  });

  it('is read from the arguments that the kernel shows, none of them made up and none lost', () => {
    assert.deepEqual(processArguments('node\0main.js\0manage\0consul://a/b\0'), [
      ...['node', 'main.js', 'manage', 'consul://a/b'],
    ]);
    assert.deepEqual(processArguments('node\0main.js\0--label\0\0'), ['node', 'main.js', '--label', '']);
  });

  it('is bad when one of them refuses connections', async () => {
    const open = await port(answering);
    const closed = await port(silent);
    await once(servers.pop()!.close(), 'close');
    const hosts = [open, closed].flatMap((number) => ['--host', `tcp://127.0.0.1:${number}`]);
    await assert.rejects(runHealth(['node', main, 'manage', ...hosts], {}), { code: 'ECONNREFUSED' });
  });

  it('is bad when the manager takes connections and never answers', async () => {
    const hung = await port(silent);
    await assert.rejects(runHealth(['node', main, 'manage', '--host', `tcp://127.0.0.1:${hung}`], {}), /no answer/);
  });

  it('is that of the engine where an agent runs, also below an init and from the environment', async () => {
    const engine = await port(answering);
    const advertise = ['--advertise', `127.0.0.1:${engine}`];
    await runHealth(['/sbin/docker-init', '--', 'node', main, 'join', ...advertise], {
      SWARM_DISCOVERY: 'consul://consul:8500/shoal',
    });
  });

  it('cannot be told of another program, or of arguments that are wrong', async () => {
    await assert.rejects(runHealth(['sh', '-c', 'sleep 1'], {}), /not shoal/);
    await assert.rejects(runHealth(['node', main, 'manage', '--wrong'], {}), /--wrong/);
  });
});
