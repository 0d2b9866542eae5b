// Whom mutual TLS lets in. Node's own refusal of a certificate closes the connection without a word, which stock clients
// show as "EOF"; here the handshake comes about, and who has shown no good certificate is told why and not listened to.
import type { TlsOptions, TLSSocket } from 'node:tls';
import { certificateRefusal } from '../common/handshake-refusal.ts';
import type { Logger } from '../common/logger.ts';
import { answerRaw } from './raw-answer.ts';

/** Who has shaken hands must say something within this time. */
const firstWordMs = 10_000;

/** Of a server that serves a connection only after `isCertified` said yes. */
export const mutualTls: TlsOptions = { requestCert: true, rejectUnauthorized: false };

/** Whether the client has shown a certificate of the CA that is good for clients, now. */
export function isCertified(socket: TLSSocket): boolean {
  // In TLS 1.3 a session that is taken up again counts as authorized though no certificate was ever shown.
  return socket.authorized && socket.getPeerX509Certificate() !== undefined;
}

/** Answers the first words of the client, whatever they are, with 403 and the reason, and ends the connection. */
export function refuseUncertified(socket: TLSSocket, said: string, logger: Logger): void {
  const refusal = certificateRefusal(socket);
  logger.warn(said, { ...refusal });
  socket.on('error', () => socket.destroy());
  socket.setTimeout(firstWordMs, () => socket.destroy());
  // An answer that comes before the question is none to a client that keeps connections.
  socket.once('readable', () => {
    answerRaw(socket, {
      statusCode: 403,
      rawHeaders: ['Content-Type', 'application/json'],
      body: `${JSON.stringify({ message: `the client is refused: ${refusal.reason}` })}\n`,
    });
  });
}
