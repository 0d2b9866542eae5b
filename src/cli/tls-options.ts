// The TLS flags: names and files as the docker CLI and classicswarm have them.
import { readFileSync } from 'node:fs';
import { errorMessage } from '../common/errors.ts';
import { UsageError } from './usage-error.ts';
import type { TlsLegs } from './values.ts';

/** Certificates in PEM. */
export interface TlsFiles {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whether the other side must show a certificate of `ca`. */
  readonly verify: boolean;
  /** Whose connections are meant; the others' are plain. */
  readonly legs: TlsLegs;
}

export interface TlsFlags {
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly tlsFor?: TlsLegs;
}

/** Undefined when TLS was not asked for. Throws a UsageError naming the flag that is missing or the file that cannot be read. */
export function readTlsFiles(flags: TlsFlags): TlsFiles | undefined {
  const { tls = false, tlsverify = false, tlscacert, tlscert, tlskey, tlsFor } = flags;
  if (!tls && !tlsverify) {
    if (tlscacert ?? tlscert ?? tlskey)
      throw new UsageError('--tlscacert, --tlscert and --tlskey need --tls or --tlsverify');
    if (tlsFor !== undefined) throw new UsageError('--tls-for needs --tls or --tlsverify');
    return undefined;
  }
  if (tlscert === undefined || tlskey === undefined) throw new UsageError('--tls needs --tlscert and --tlskey');
  if (tlsverify && tlscacert === undefined) throw new UsageError('--tlsverify needs --tlscacert');
  return {
    ca: tlscacert === undefined ? undefined : readFlagFile('--tlscacert', tlscacert),
    cert: readFlagFile('--tlscert', tlscert),
    key: readFlagFile('--tlskey', tlskey),
    verify: tlsverify,
    legs: tlsFor ?? 'both',
  };
}

function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${flag}: ${errorMessage(error)}`);
  }
}
