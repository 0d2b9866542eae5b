// Certificates on disk, in the layout that docker and Compose expect of DOCKER_CERT_PATH: ca.pem, cert.pem, key.pem; an
// authority is ca.pem and ca-key.pem. A file that exists is never written, and keys are the owner's alone to read.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../common/errors.ts';
import type { CertifiedKey } from './issue.ts';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

const publicMode = 0o644;
const privateMode = 0o600;

export function authorityFiles(directory: string, { cert, key }: CertifiedKey): NewFile[] {
  return [
    { path: join(directory, 'ca-key.pem'), text: key, mode: privateMode },
    { path: join(directory, 'ca.pem'), text: cert, mode: publicMode },
  ];
}

/** `ca` is the certificate of the authority. */
export function identityFiles(directory: string, { cert, key }: CertifiedKey, ca: string): NewFile[] {
  return [
    { path: join(directory, 'key.pem'), text: key, mode: privateMode },
    { path: join(directory, 'cert.pem'), text: cert, mode: publicMode },
    { path: join(directory, 'ca.pem'), text: ca, mode: publicMode },
  ];
}

/** Rejects when it cannot be read. */
export async function readAuthority(directory: string): Promise<CertifiedKey> {
  const [cert, key] = await Promise.all(
    ['ca.pem', 'ca-key.pem'].map(async (name) => await readFile(join(directory, name), 'utf8')),
  );
  return { cert: cert ?? '', key: key ?? '' };
}

/** Makes `directory` and all of `files` in it, or none of them: rejects when one exists. */
export async function writeNewFiles(directory: string, files: readonly NewFile[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const made: string[] = [];
  try {
    for (const { path, text, mode } of files) {
      await writeFile(path, text, { flag: 'wx', mode });
      made.push(path);
    }
  } catch (error) {
    await Promise.all(made.map((path) => rm(path, { force: true })));
    if (errorCode(error) !== 'EEXIST') throw error;
    throw new Error(`${files[made.length]?.path ?? directory} exists; nothing is overwritten`, { cause: error });
  }
}
