// The certificate files of a store, read once when the backend is made.
import { readFileSync } from 'node:fs';
import { badRequest, errorMessage } from '../src/common/errors.ts';

export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** The content of the files; undefined when none is named, which means a plain connection. Throws a 400 of one line. */
export function readTlsFiles({ caFile, certFile, keyFile }: TlsFiles): TlsMaterial | undefined {
  if (caFile === undefined && certFile === undefined && keyFile === undefined) return undefined;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw badRequest('kv.certfile and kv.keyfile are needed together');
  }
  return {
    ...(caFile === undefined ? {} : { ca: readPem('kv.cacertfile', caFile) }),
    ...(certFile === undefined ? {} : { cert: readPem('kv.certfile', certFile) }),
    ...(keyFile === undefined ? {} : { key: readPem('kv.keyfile', keyFile) }),
  };
}

function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw badRequest(`${option} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}
