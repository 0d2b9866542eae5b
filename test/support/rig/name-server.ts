// A name server that knows no name. There is no DNS on a rig's network, and an engine that waits for an answer about a
// registry would hang for seconds instead of failing at once.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface NameServer {
  stop(): Promise<void>;
}

export async function startNameServer(address: string): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, client) => {
    const answer = noSuchName(query);
    if (answer) socket.send(answer, client.port, client.address, () => undefined);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  socket.on('error', () => undefined);
  socket.unref();
  let isOpen = true;
  return {
    stop: async () => {
      if (!isOpen) return;
      isOpen = false;
      socket.close();
      await once(socket, 'close');
    },
  };
}

const headerBytes = 12;

/** The query's header and question, marked as an answer with code 3; undefined for what is no query. */
function noSuchName(query: Buffer): Buffer | undefined {
  if (query.length < headerBytes) return undefined;
  const questionEnd = query.indexOf(0, headerBytes) + 5;
  if (questionEnd < headerBytes + 5 || questionEnd > query.length) return undefined;
  const answer = Buffer.from(query.subarray(0, questionEnd));
  const recursionDesired = query.readUInt16BE(2) & 0x0100;
  answer.writeUInt16BE(0x8080 | recursionDesired | 3, 2);
  answer.writeUInt16BE(1, 4);
  answer.fill(0, 6, headerBytes);
  return answer;
}
