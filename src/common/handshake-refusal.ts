// Why a server of ours did not let a client through the handshake.
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorCode, errorMessage } from './errors.ts';
import { tlsRefusal } from './tls-refusal.ts';

/** For the log; undefined for a client that has only looked whether the port is open. */
export function handshakeRefusal(error: unknown, socket: TLSSocket): Readonly<Record<string, string>> | undefined {
  // The types say Error; a server writes the code there.
  const refusal: unknown = socket.authorizationError;
  const code = typeof refusal === 'string' ? refusal : errorCode(error);
  if (code === undefined || code === 'ECONNRESET') return undefined;
  const { reason } = tlsRefusal(code, '') ?? { reason: errorMessage(error) };
  return { reason, code, client: addressOf(socket) };
}

/** A server must have read `remoteAddress` of the connection itself when it came: after the refusal nobody knows it. */
function addressOf(socket: TLSSocket): string {
  const parent: unknown = '_parent' in socket ? socket._parent : undefined;
  return (parent instanceof Socket ? parent.remoteAddress : undefined) ?? 'unknown';
}
