// The bridge that joins the nodes of a rig. Its address is where managers, Consul and the name server listen.
import { run, runOrThrow } from './command.ts';
import { forwardRule } from './leftovers.ts';
import { startNameServer, type NameServer } from './name-server.ts';
import { bridgeAddress, bridgeName, type RigKind } from './rig-kind.ts';

/** Brings up bridge and name server. The bridge is removed with the kind's leftovers. */
export async function startNetwork(kind: RigKind): Promise<NameServer> {
  const bridge = bridgeName(kind);
  await runOrThrow('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await runOrThrow('ip', ['address', 'add', `${bridgeAddress(kind)}/24`, 'dev', bridge]);
  await runOrThrow('ip', ['link', 'set', bridge, 'up']);
  // Without a firewall module in the kernel nothing is dropped either.
  await run('iptables', ['-w', '-I', 'FORWARD', ...forwardRule(kind)]);
  return await startNameServer(bridgeAddress(kind));
}
