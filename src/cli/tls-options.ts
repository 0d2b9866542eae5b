// The TLS flags: names, files and environment as the docker CLI, dockerd and classicswarm have them. Files are read here
// once, so that a mistake is one of the command line; whoever uses them reads them again when they change.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readCertificates, type CertificatePaths } from '../common/certificate-files.ts';
import { errorMessage } from '../common/errors.ts';
import type { Environment } from './surroundings.ts';
import { UsageError } from './usage-error.ts';
import { tlsLegs, type TlsLegs } from './values.ts';

/** TLS of the connections with one side. */
export interface TlsLeg {
  readonly files: CertificatePaths;
  /** Whether the other side must show a certificate of the CA. */
  readonly verify: boolean;
}

/** Undefined where connections are plain. */
export interface ManagerTls {
  readonly clients: TlsLeg | undefined;
  readonly engines: TlsLeg | undefined;
}

export interface TlsFlags {
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
}

export interface ManagerTlsFlags extends TlsFlags {
  readonly tlsFor?: TlsLegs;
  readonly engineTlscacert?: string;
  readonly engineTlscert?: string;
  readonly engineTlskey?: string;
}

/** `tls` and `verify` say in help what the two switches do for the command. */
export function addTls(command: Command, { tls, verify }: { readonly tls: string; readonly verify: string }): Command {
  return command
    .option('--tls', tls)
    .option('--tlsverify', verify)
    .option('--tlscacert <path>', 'certificates of the CA')
    .option('--tlscert <path>', 'own certificate')
    .option('--tlskey <path>', 'own private key');
}

export function addManagerTls(command: Command): void {
  addTls(command, {
    tls: 'serve and reach engines over TLS',
    verify: 'like --tls, and the other side must show a certificate of the CA',
  })
    .option('--engine-tlscacert <path>', 'certificates of the CA of engines (default: --tlscacert)')
    .option('--engine-tlscert <path>', 'own certificate towards engines (default: --tlscert)')
    .option('--engine-tlskey <path>', 'its private key (default: --tlskey)')
    .option('--tls-for <side>', 'both, clients or engines: whose connections use TLS (default: both)', tlsLegs);
}

/** Throws a UsageError naming the flag that is missing or the file that cannot be used, as all of these do. */
export function managerTls(flags: ManagerTlsFlags, env: Environment): ManagerTls {
  const { tlsFor = 'both', engineTlscacert, engineTlscert, engineTlskey } = flags;
  const own = engineTlscacert ?? engineTlscert ?? engineTlskey;
  const basis = givenFiles(flags, env);
  if (basis === undefined) {
    if (flags.tlsFor !== undefined) throw new UsageError('--tls-for needs --tls or --tlsverify');
    if (own !== undefined)
      throw new UsageError('--engine-tlscacert, --engine-tlscert and --engine-tlskey need --tls or --tlsverify');
    return { clients: undefined, engines: undefined };
  }
  if (tlsFor === 'clients' && own !== undefined)
    throw new UsageError('--engine-tlscacert, --engine-tlscert and --engine-tlskey contradict --tls-for clients');
  if ((engineTlscert === undefined) !== (engineTlskey === undefined))
    throw new UsageError('--engine-tlscert and --engine-tlskey need each other');
  const engines = {
    ca: engineTlscacert ?? basis.ca,
    cert: engineTlscert ?? basis.clientCert,
    key: engineTlskey ?? basis.clientKey,
  };
  return {
    clients: tlsFor === 'engines' ? undefined : checkedLeg(basis, basis.verify, '--tls'),
    engines:
      tlsFor === 'clients'
        ? undefined
        : checkedLeg(engines, basis.verify, own === undefined ? '--tls' : '--engine-tls'),
  };
}

/** That of a server alone. */
export function serverTls(flags: TlsFlags, env: Environment): TlsLeg | undefined {
  const files = givenFiles(flags, env);
  return files && checkedLeg(files, files.verify, '--tls');
}

interface GivenFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly verify: boolean;
  /** Those of the folder that are a client's, where it tells them apart. */
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
}

/** Undefined when TLS was asked for neither by a flag nor by DOCKER_TLS_VERIFY. */
function givenFiles(flags: TlsFlags, env: Environment): GivenFiles | undefined {
  const { tls = false, tlscacert, tlscert, tlskey } = flags;
  const verify = flags.tlsverify ?? (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  if (!tls && !verify) {
    if (tlscacert ?? tlscert ?? tlskey)
      throw new UsageError('--tlscacert, --tlscert and --tlskey need --tls or --tlsverify');
    return undefined;
  }
  const kept = folderFiles(env['DOCKER_CERT_PATH'] ?? '');
  return {
    verify,
    ca: tlscacert ?? kept?.ca,
    cert: tlscert ?? kept?.cert,
    key: tlskey ?? kept?.key,
    clientCert: tlscert ?? kept?.clientCert,
    clientKey: tlskey ?? kept?.clientKey,
  };
}

/** Docker Machine writes a server's certificate beside the client's. */
function folderFiles(folder: string): Omit<GivenFiles, 'verify'> | undefined {
  if (folder === '') return undefined;
  const [ca, clientCert, clientKey] = [join(folder, 'ca.pem'), join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const server = { cert: join(folder, 'server.pem'), key: join(folder, 'server-key.pem') };
  const hasServer = existsSync(server.cert) && existsSync(server.key);
  return { ca, clientCert, clientKey, ...(hasServer ? server : { cert: clientCert, key: clientKey }) };
}

function checkedLeg(
  { ca, cert, key }: Pick<GivenFiles, 'ca' | 'cert' | 'key'>,
  verify: boolean,
  flag: '--tls' | '--engine-tls',
): TlsLeg {
  if (cert === undefined || key === undefined)
    throw new UsageError('--tls, --tlsverify and DOCKER_TLS_VERIFY need --tlscert and --tlskey, or DOCKER_CERT_PATH');
  if (verify && ca === undefined) throw new UsageError('--tlsverify needs --tlscacert');
  const files = { ca: verify ? ca : undefined, cert, key };
  try {
    readCertificates(files);
  } catch (error) {
    throw new UsageError(`${flagOf(error, files, flag)}: ${errorMessage(error)}`);
  }
  return { files, verify };
}

/** The flag of the file that cannot be read; those of the pair when its texts do not belong together. */
function flagOf(error: unknown, { ca, cert, key }: CertificatePaths, flag: string): string {
  const path: unknown = error instanceof Error && 'path' in error ? error.path : undefined;
  if (path === cert) return `${flag}cert`;
  if (path === key) return `${flag}key`;
  return path !== undefined && path === ca ? `${flag}cacert` : `${flag}cacert, ${flag}cert or ${flag}key`;
}
