// Established TCP connections from this machine to an engine, counted as the kernel knows them.
import { readFileSync } from 'node:fs';

/** `address`: "HOST:PORT" with an IPv4 address. Engines live in namespaces of their own: theirs are not counted. */
export function countConnectionsTo(address: string): number {
  const remote = hexadecimal(address);
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[2] === remote && columns[3] === established).length;
}

const established = '01';

/** As the kernel writes it: the bytes of the address in reverse, then the port. */
function hexadecimal(address: string): string {
  const [host = '', port = ''] = address.split(':');
  const bytes = host.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `${bytes.reverse().join('')}:${Number(port).toString(16).padStart(4, '0')}`.toUpperCase();
}
