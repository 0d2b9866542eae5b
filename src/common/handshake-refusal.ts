// Why a server of ours did not let a client in.
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorCode, errorMessage } from './errors.ts';
import { tlsRefusal } from './tls-refusal.ts';

/** For the log. */
export interface HandshakeRefusal {
  /** The client is "it". */
  readonly reason: string;
  readonly code: string;
  /** Its IP address. */
  readonly client: string;
}

/** Of a handshake that failed; undefined for a client that has only looked whether the port is open. */
export function handshakeRefusal(error: unknown, socket: TLSSocket): HandshakeRefusal | undefined {
  const code = errorCode(error);
  if (code === undefined || code === 'ECONNRESET') return undefined;
  const { reason } = tlsRefusal(code, '') ?? { reason: errorMessage(error) };
  return { reason, code, client: addressOf(socket) };
}

/** Of a client that has shaken hands without a certificate that we accept. */
export function certificateRefusal(socket: TLSSocket): HandshakeRefusal {
  const isShown = socket.getPeerX509Certificate() !== undefined;
  // The types say Error; a server writes the code there.
  const refusal: unknown = socket.authorizationError;
  const code = isShown ? String(refusal) : 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';
  const { reason } = tlsRefusal(code, '') ?? { reason: `its certificate is not accepted (${code})` };
  return { reason, code, client: socket.remoteAddress ?? 'unknown' };
}

/** A server must have read `remoteAddress` of the connection itself when it came: after the refusal nobody knows it. */
function addressOf(socket: TLSSocket): string {
  const parent: unknown = '_parent' in socket ? socket._parent : undefined;
  return (parent instanceof Socket ? parent.remoteAddress : undefined) ?? 'unknown';
}
