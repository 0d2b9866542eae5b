// `shoal ca`: makes what was asked for and says which files there are now.
import { authorityFiles, identityFiles, readAuthority, writeNewFiles, type NewFile } from '../certificates/files.ts';
import { issue, makeAuthority, validFor } from '../certificates/issue.ts';
import type { CaOptions, CertificateRole } from './ca-command.ts';

/** Managers and agents are servers to some and clients to others. */
const uses = {
  server: ['server', 'client'],
  client: ['client'],
  agent: ['server', 'client'],
} as const satisfies Readonly<Record<CertificateRole, unknown>>;

/** Rejects, and leaves everything as it was, when a file exists or the authority cannot be read. */
export async function runCa(options: CaOptions, out: (text: string) => void): Promise<void> {
  const directory = options.kind === 'init' ? options.authority : options.out;
  const files = await filesOf(options);
  await writeNewFiles(directory, files);
  out(files.map(({ path }) => `${path}\n`).join(''));
}

async function filesOf(options: CaOptions): Promise<NewFile[]> {
  const { name, days } = options;
  const validity = validFor(days);
  if (options.kind === 'init') return authorityFiles(options.authority, await makeAuthority({ name }, validity));
  const { kind, alternativeNames, units } = options;
  const authority = await readAuthority(options.authority);
  const order = { subject: { name, units }, validity, alternativeNames, uses: uses[kind] };
  return identityFiles(options.out, await issue(authority, order), authority.cert);
}
