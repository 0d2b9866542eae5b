// User and password towards a store, from an option or from a file that may change.
import { readFile } from 'node:fs/promises';
import { badRequest } from '../src/common/errors.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface CredentialSource {
  /** `USER:PASSWORD`. */
  readonly text?: string | undefined;
  /** Read anew each time it is needed, so that a password can be changed; wins over `text`. */
  readonly file?: string | undefined;
}

/** Undefined when the source names none. Rejects when the file cannot be read, or there is no colon. */
export async function readCredentials({ text, file }: CredentialSource): Promise<Credentials | undefined> {
  const given = file === undefined ? text : (await readFile(file, 'utf8')).trim();
  if (given === undefined) return undefined;
  const colon = given.indexOf(':');
  if (colon < 1) throw badRequest('credentials of a store are written USER:PASSWORD');
  return { user: given.slice(0, colon), password: given.slice(colon + 1) };
}
