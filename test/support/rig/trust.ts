// The trust of a rig in which nothing is said in the clear: engines on their unix sockets alone, agents that open them,
// Consul with TLS and ACLs, a manager that knows its clients. Certificates are of one authority, made as `shoal ca` does.
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { CertificateAuthority, type Identity, type IdentityOptions } from './certificates.ts';
import { bridgeAddress, nodeAddress, stateDirectory, type RigKind } from './rig-kind.ts';

/** 'none': plain, but for what the options of the rig themselves say. */
export type TrustMode = 'none' | 'tls';

/** What rigs that do not say it themselves are to have: SHOAL_E2E_TRUST=tls runs any test so. */
export const trustVariable = 'SHOAL_E2E_TRUST';

/** Of Consul: its certificate, and tokens as it wants them, UUIDs. */
export interface SecureConsul {
  readonly own: Identity;
  readonly client: Identity;
  /** May do everything. */
  readonly masterToken: string;
  /** May do what managers and agents need. */
  readonly token: string;
  /** Of its gossip. */
  readonly gossipKey: string;
}

export class Trust {
  /** Of clients, and of whatever asks on the rig's behalf. */
  readonly client: Identity;
  readonly consul: SecureConsul;
  readonly #authority: CertificateAuthority;
  readonly #manager: Identity;
  readonly #agents: readonly Identity[];
  readonly #tokenFile: string;

  /** `hosts`: IP addresses besides the rig's own on which managers listen. */
  static async establish(
    kind: RigKind,
    { engines, hosts }: { engines: number; hosts: readonly string[] },
  ): Promise<Trust> {
    const folder = `${stateDirectory(kind)}/trust`;
    const authority = await CertificateAuthority.create(folder, 'rig');
    const own = [bridgeAddress(kind)];
    const [client, manager, consul, ...agents] = await Promise.all([
      authority.issue('client', { uses: ['client'] }),
      authority.issue('manager', { addresses: [...own, ...hosts] }),
      authority.issue('consul', { addresses: own }),
      ...Array.from({ length: engines }, (_, index) =>
        authority.issue(`node-${index + 1}`, { addresses: [nodeAddress(kind, index + 1)] }),
      ),
    ]);
    const tokens = { masterToken: randomUUID(), token: randomUUID() };
    const tokenFile = `${folder}/consul-token`;
    writeFileSync(tokenFile, `${tokens.token}\n`);
    const gossipKey = randomBytes(32).toString('base64');
    return new Trust({
      authority,
      client,
      manager,
      agents,
      tokenFile,
      consul: { own: consul, client, gossipKey, ...tokens },
    });
  }

  private constructor({ authority, client, manager, agents, tokenFile, consul }: TrustParts) {
    this.client = client;
    this.#authority = authority;
    this.consul = consul;
    this.#manager = manager;
    this.#agents = agents;
    this.#tokenFile = tokenFile;
  }

  /** A certificate of the authority that everybody believes. */
  async issue(name: string, options: IdentityOptions): Promise<Identity> {
    return await this.#authority.issue(name, options);
  }

  /** Flags of `shoal manage`. */
  managerArgs(discovery: string | undefined): string[] {
    return [...tlsFlags(this.#manager), ...this.#storeFlags(this.#manager, discovery)];
  }

  /** Flags of `shoal join` for the agent of the engine of this number, which counts from 1. */
  agentArgs(number: number, discovery: string): string[] {
    const own = this.#agents[number - 1];
    if (own === undefined) throw new Error(`node-${number} has no certificate`);
    return [...tlsFlags(own), ...this.#storeFlags(own, discovery)];
  }

  #storeFlags({ ca, cert, key }: Identity, discovery = ''): string[] {
    if (/^$|^(?:nodes|file):/.test(discovery)) return [];
    const files = { 'kv.cacertfile': ca, 'kv.certfile': cert, 'kv.keyfile': key, 'consul.tokenfile': this.#tokenFile };
    return Object.entries(files).flatMap(([option, path]) => ['--discovery-opt', `${option}=${path}`]);
  }
}

interface TrustParts {
  readonly authority: CertificateAuthority;
  readonly client: Identity;
  readonly manager: Identity;
  /** In the order of the engines. */
  readonly agents: readonly Identity[];
  readonly tokenFile: string;
  readonly consul: SecureConsul;
}

export function tlsFlags({ ca, cert, key }: Identity): string[] {
  return ['--tlsverify', '--tlscacert', ca, '--tlscert', cert, '--tlskey', key];
}

/** The environment of a stock client that shows this identity. */
export function asClient({ directory }: Identity): Record<string, string> {
  return { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: directory };
}
