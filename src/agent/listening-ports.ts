// The ports that programs of this machine hold, from the kernel's tables in /proc/net. Whose they are is not told there.
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { errorCode } from '../common/errors.ts';
import type { TakenPort } from '../engine/announced-facts.ts';

const tables = ['tcp', 'tcp6', 'udp', 'udp6'] as const;

/** The ports in the order of their numbers, each once. Rejects where the kernel has no such tables. */
export async function readListeningPorts(procNet = '/proc/net'): Promise<readonly TakenPort[]> {
  const found = await Promise.all(
    tables.map(async (table) =>
      parsePortTable(await readTable(`${procNet}/${table}`), table.startsWith('tcp') ? 'tcp' : 'udp'),
    ),
  );
  const byKey = new Map(found.flat().map((port) => [portKey(port), port]));
  return [...byKey.values()].sort((a, b) => a.port - b.port);
}

/** "tcp/127.0.0.1:80". */
export function portKey({ protocol, ip, port }: TakenPort): string {
  return `${protocol}/${ip}:${port}`;
}

/**
 * The sockets of one table that wait for others. A busy machine has ten thousand rows for others, every second: they are
 * passed over without making a string of any.
 */
export function parsePortTable(text: string, protocol: 'tcp' | 'udp'): readonly TakenPort[] {
  const found: TakenPort[] = [];
  for (const [, address = '', digits = ''] of text.matchAll(waiting[protocol])) {
    const port = Number.parseInt(digits, 16);
    // Programs that ask others over UDP hold such a port for a moment, by the thousand.
    if (port > 0 && (protocol === 'tcp' || port < firstPassingPort))
      found.push({ protocol, ip: addressOf(address), port });
  }
  return found;
}

/** Number, own address, other address, state: 0A listens, 07 is a UDP socket that waits for anybody. */
const waiting = {
  tcp: /^ *\d+: ([\dA-F]+):([\dA-F]+) [\dA-F:]+ 0A /gm,
  udp: /^ *\d+: ([\dA-F]+):([\dA-F]+) [\dA-F:]+ 07 /gm,
} as const;

/** Where Linux by default begins to give out ports to whoever does not name one. */
const firstPassingPort = 32_768;

/** '' for every address: one of IPv6 that is open to all takes the port of IPv4 too. */
function addressOf(hex: string): string {
  if (/^0+$/.test(hex)) return '';
  const words = hex.match(/.{8}/g) ?? [];
  // Each word is written as the machine stores it, the lowest byte first.
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const text = bytes
    .slice(-4)
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
  if (words.length === 1 || (/^0{20}ffff/i.test(bytes.join('')) && isIPv4(text))) return text === '0.0.0.0' ? '' : text;
  const groups = bytes.join('').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // A machine without IPv6 has two tables less.
    if (errorCode(error) === 'ENOENT' && path.endsWith('6')) return '';
    throw error;
  }
}
