// Where the API listens: tcp (with or without TLS) or a unix socket. A socket file left by a dead process is
// replaced; one that somebody answers on, or a file that is no socket, is never touched.
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { once } from 'node:events';
import { errorCode } from '../common/errors.ts';

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** PEM texts. With `clientCa`, clients must show a certificate that it signed. */
export interface TlsIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
}

/** As Docker's socket: readable and writable by owner and group. */
const socketMode = 0o660;

/** Binds `server`; resolves with the address as bound. Rejects with the system's error when it cannot. */
export async function bind(server: Server, address: ListenAddress): Promise<ListenAddress> {
  if (address.kind === 'tcp') {
    await listening(server, () => server.listen({ host: address.host, port: address.port }));
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? { ...address, port: bound.port } : address;
  }
  await removeStaleSocket(address.path);
  await listening(server, () => server.listen(address.path));
  await chmod(address.path, socketMode);
  return address;
}

/** How an address is written for people and for DOCKER_HOST: "tcp://127.0.0.1:2375", "unix:///run/shoal.sock". */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp://${host}:${address.port}`;
}

async function listening(server: Server, listen: () => void): Promise<void> {
  const bound = once(server, 'listening');
  listen();
  await bound;
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket`);
  if (await isAnswered(path)) throw new Error(`${path} is in use by another process`);
  await unlink(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      // Whoever refuses is dead; any other trouble (no permission) may hide a living owner.
      resolve(errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT');
    });
  });
}
