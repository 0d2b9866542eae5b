// The TLS flags: names and files as the docker CLI and classicswarm have them.
import { readFileSync } from 'node:fs';
import { errorMessage } from '../common/errors.ts';
import { UsageError } from './usage-error.ts';

/** Certificates in PEM. */
export interface TlsFiles {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whether the other side must show a certificate of `ca`. */
  readonly verify: boolean;
}

export interface TlsFlags {
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
}

/** Undefined when TLS was not asked for. Throws a UsageError naming the flag that is missing or the file that cannot be read. */
export function readTlsFiles(flags: TlsFlags): TlsFiles | undefined {
  const { tls = false, tlsverify = false, tlscacert, tlscert, tlskey } = flags;
  if (!tls && !tlsverify) {
    if (tlscacert ?? tlscert ?? tlskey)
      throw new UsageError('--tlscacert, --tlscert and --tlskey need --tls or --tlsverify');
    return undefined;
  }
  if (tlscert === undefined || tlskey === undefined) throw new UsageError('--tls needs --tlscert and --tlskey');
  if (tlsverify && tlscacert === undefined) throw new UsageError('--tlsverify needs --tlscacert');
  return {
    ca: tlscacert === undefined ? undefined : readFlagFile('--tlscacert', tlscacert),
    cert: readFlagFile('--tlscert', tlscert),
    key: readFlagFile('--tlskey', tlskey),
    verify: tlsverify,
  };
}

function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${flag}: ${errorMessage(error)}`);
  }
}
