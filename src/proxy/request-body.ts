// The body of a request whose connection is taken over, sent on byte for byte and not one byte further: what
// follows it stays in the client's socket until the engine has agreed to a raw stream. Sent earlier, it could
// reach an engine that refused as a request of its own.
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import { badRequest } from '../common/errors.ts';
import { announcedBoundary, isChunked, lengthBoundary } from './body-boundary.ts';

export interface BodyTransfer {
  /** Stops reading the client; what was not read stays in its socket. */
  stop(): void;
}

/** Starts to send the body to `engine`. `onError` hears of a body that breaks off or is framed badly. */
export function sendBody(
  request: IncomingMessage,
  client: net.Socket,
  engine: net.Socket,
  onError: (error: Error) => void,
): BodyTransfer {
  // Newer releases of Node parse this body and deliver it as the request's, older ones leave it in the socket.
  return !request.complete || request.readableLength > 0
    ? sendParsedBody(request, client, engine)
    : sendRawBody(request, client, engine, onError);
}

function sendRawBody(
  request: IncomingMessage,
  client: net.Socket,
  engine: net.Socket,
  onError: (error: Error) => void,
): BodyTransfer {
  const boundary = announcedBoundary(request.rawHeaders) ?? lengthBoundary(0);
  const transfer = (): void => {
    while (!boundary.isDone() && !engine.writableNeedDrain && engine.writable) {
      const chunk: unknown = client.read();
      if (!Buffer.isBuffer(chunk)) return;
      const length = boundary.take(chunk);
      if (length > 0) engine.write(chunk.subarray(0, length));
      if (length < chunk.length) client.unshift(chunk.subarray(length));
    }
  };
  const guardedTransfer = (): void => {
    try {
      transfer();
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const onEnd = (): void => {
    if (!boundary.isDone()) onError(badRequest('the body of the request breaks off'));
  };
  // The listener stays when the body is over: it keeps the socket reading, which is how its loss is noticed.
  client.on('readable', guardedTransfer).on('end', onEnd);
  engine.on('drain', guardedTransfer);
  guardedTransfer();
  return {
    stop() {
      client.removeListener('readable', guardedTransfer).removeListener('end', onEnd);
      engine.removeListener('drain', guardedTransfer);
    },
  };
}

function sendParsedBody(request: IncomingMessage, client: net.Socket, engine: net.Socket): BodyTransfer {
  const frame = isChunked(request.rawHeaders) ? frameChunk : (chunk: Buffer) => chunk;
  const onData = (chunk: Buffer): void => {
    if (!engine.write(frame(chunk))) request.pause();
  };
  const onDrain = (): void => {
    request.resume();
  };
  const onEnd = (): void => {
    if (isChunked(request.rawHeaders)) engine.write('0\r\n\r\n');
  };
  request.on('data', onData).once('end', onEnd);
  engine.on('drain', onDrain);
  const keepReading = (): void => undefined;
  client.on('readable', keepReading);
  return {
    stop() {
      request.removeListener('data', onData).removeListener('end', onEnd);
      engine.removeListener('drain', onDrain);
      client.removeListener('readable', keepReading);
    },
  };
}

function frameChunk(chunk: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
}
