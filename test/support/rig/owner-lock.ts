// At most one living owner per rig kind on a machine. The lock is a socket in the abstract namespace: it vanishes with
// its process, however that ends, and a process id used again cannot be mistaken for the owner.
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { errorCode } from '../../../src/common/errors.ts';
import type { RigKind } from './rig-kind.ts';

/** Says who owns the kind. */
export class RigInUseError extends Error {}

export interface OwnerLock {
  release(): Promise<void>;
}

/** Throws RigInUseError while another process owns the kind. */
export async function acquireOwnerLock(kind: RigKind): Promise<OwnerLock> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`process ${process.pid} in ${process.cwd()}`);
  });
  try {
    await listen(server, kind);
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE') throw error;
    throw new RigInUseError(`a ${kind.name} rig is running already: ${await describeOwner(kind)}`);
  }
  server.unref();
  return {
    release: async () => {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server, kind: RigKind): Promise<void> {
  server.listen(socketName(kind));
  await once(server, 'listening');
}

async function describeOwner(kind: RigKind): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect(socketName(kind));
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve(text === '' ? 'a process that does not answer' : text);
    };
    socket.setTimeout(1_000, done);
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', done);
    socket.on('end', done);
  });
}

function socketName(kind: RigKind): string {
  return `\0shoal-rig-${kind.name}`;
}
