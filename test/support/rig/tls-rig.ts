// A rig in which everybody shows a certificate of one authority: clients to the manager, the manager to the engines.
import { join } from 'node:path';
import { CertificateAuthority, type Identity } from './certificates.ts';
import type { EngineRelease } from './engine.ts';
import { bridgeAddress, nodeAddress, type RigKind } from './rig-kind.ts';
import type { RigOptions } from './rig.ts';
import type { ManagerOptions } from './shoal-process.ts';
import { tlsFlags } from './trust.ts';

export interface TlsRig {
  readonly options: Required<Pick<RigOptions, 'engines' | 'agentArgs'>> & { readonly manager: ManagerOptions };
  readonly authority: CertificateAuthority;
  /** That of clients, with which the rig itself asks, too. */
  readonly client: Identity;
}

/** Certificates are written to `folder`. */
export async function planTlsRig(kind: RigKind, folder: string, releases: readonly EngineRelease[]): Promise<TlsRig> {
  const authority = await CertificateAuthority.create(join(folder, 'ours'), 'ours');
  const client = await authority.issue('client');
  const manager = await authority.issue('manager', { addresses: [bridgeAddress(kind)] });
  const engines = await Promise.all(
    releases.map(async (release, index) => {
      const addresses = [nodeAddress(kind, index + 1)];
      return { release, tls: { own: await authority.issue(`node-${index + 1}`, { addresses }), client } };
    }),
  );
  const agentFiles = { 'kv.cacertfile': client.ca, 'kv.certfile': client.cert, 'kv.keyfile': client.key };
  const agentArgs = Object.entries(agentFiles).flatMap(([option, path]) => ['--discovery-opt', `${option}=${path}`]);
  return { options: { engines, manager: { args: tlsFlags(manager), tls: client }, agentArgs }, authority, client };
}
