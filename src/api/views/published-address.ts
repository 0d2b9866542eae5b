// The address under which a published port is reached: an engine says "all of mine", which a client of the
// manager could only understand as all of the manager's.
import { isIPv4, isIPv6 } from 'node:net';

/**
 * What clients are shown for `ip` of an engine at `engineHost`; undefined when the entry is to be left out, because it
 * repeats for the other address family what another entry says. Only literal addresses are shown: clients parse them.
 */
export function publishedAddress(ip: string, engineHost: string): string | undefined {
  if (ip === '0.0.0.0') return isIPv4(engineHost) ? engineHost : ip;
  if (ip === '::') return isIPv6(engineHost) ? engineHost : undefined;
  return ip;
}
