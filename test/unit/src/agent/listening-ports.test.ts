import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parsePortTable } from '../../../../src/agent/listening-ports.ts';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, state: string): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000 100 0 0 10 0\n`;

describe('a table of sockets of the kernel', () => {
  const cases: readonly { title: string; local: string; state: string; protocol: 'tcp' | 'udp'; ports: unknown }[] = [
    { title: 'every address', local: '00000000:0016', state: '0A', protocol: 'tcp', ports: [['', 22]] },
    { title: 'one address', local: '0100007F:1538', state: '0A', protocol: 'tcp', ports: [['127.0.0.1', 5432]] },
    {
      title: 'every address of IPv6',
      local: `${'0'.repeat(32)}:0050`,
      state: '0A',
      protocol: 'tcp',
      ports: [['', 80]],
    },
    {
      title: 'loopback of IPv6',
      local: `${'0'.repeat(24)}01000000:0277`,
      state: '0A',
      protocol: 'tcp',
      ports: [['::1', 631]],
    },
    {
      title: 'an address of IPv4 in IPv6',
      local: '0000000000000000FFFF00000100000A:0050',
      state: '0A',
      protocol: 'tcp',
      ports: [['10.0.0.1', 80]],
    },
    { title: 'no connection', local: '0100007F:1538', state: '01', protocol: 'tcp', ports: [] },
    { title: 'UDP', local: '3500007F:0035', state: '07', protocol: 'udp', ports: [['127.0.0.53', 53]] },
    { title: 'no UDP port of a client', local: '00000000:9C40', state: '07', protocol: 'udp', ports: [] },
    { title: 'nothing broken', local: 'nonsense', state: '0A', protocol: 'tcp', ports: [] },
  ];
  for (const { title, local, state, protocol, ports } of cases) {
    it(`shows ${title}`, () => {
      const found = parsePortTable(head + line(local, state), protocol);
      assert.deepEqual(
        found.map(({ ip, port }) => [ip, port]),
        ports,
      );
    });
  }
});
