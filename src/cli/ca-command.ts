// `shoal ca ...` on the command line: what is to be made, where, for whom and for how long.
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './usage-error.ts';
import { collected } from './values.ts';

export type CaOptions =
  | { readonly kind: 'init'; readonly authority: string; readonly name: string; readonly days: number }
  | {
      readonly kind: CertificateRole;
      /** The folder of the authority. */
      readonly authority: string;
      /** The folder that the certificate is written to. */
      readonly out: string;
      readonly name: string;
      readonly units: readonly string[];
      readonly alternativeNames: readonly string[];
      readonly days: number;
    };

const roles = {
  server: 'a certificate of a manager, towards clients and engines alike',
  client: 'a certificate of a client: a user, or the manager towards engines alone',
  agent: 'a certificate of an agent or an engine',
} as const;

export type CertificateRole = keyof typeof roles;

const defaultAuthority = 'ca';
const authorityDays = 3_650;
const certificateDays = 365;

interface InitFlags {
  readonly ca: string;
  readonly name: string;
  readonly days: number;
}

interface IssueFlags extends InitFlags {
  readonly out?: string;
  readonly ou: readonly string[];
  readonly san: readonly string[];
}

export function addCa(program: Command, run: (options: CaOptions) => Promise<void>): void {
  const ca = program.command('ca').description('make an authority and certificates for development');
  const init = ca.command('init').description('make an authority: ca.pem and ca-key.pem');
  common(init, 'Shoal', authorityDays).action(async ({ ca: authority, name, days }: InitFlags) => {
    await run({ kind: 'init', authority, name, days });
  });
  for (const kind of ['server', 'client', 'agent'] as const) {
    common(ca.command(kind).description(`make ${roles[kind]}: ca.pem, cert.pem, key.pem`), kind, certificateDays)
      .option('--out <folder>', `where the files go (default: ${kind}, or the name)`)
      .option('--ou <unit>', 'organisational unit, for rules; may be repeated', collected(nameText), [])
      .option('--san <name>', 'address or name under which it is reached; may be repeated', collected(hostName), [])
      .action(async (flags: IssueFlags) => {
        await run(issueOptions(kind, flags));
      });
  }
}

function common(command: Command, name: string, days: number): Command {
  return command
    .option('--ca <folder>', 'folder of the authority', defaultAuthority)
    .option('--name <name>', 'common name', nameText, name)
    .option('--days <count>', 'for how long it is valid', dayCount, days);
}

function issueOptions(kind: CertificateRole, { ca, out, name, ou, san, days }: IssueFlags): CaOptions {
  if (kind !== 'client' && san.length === 0) {
    throw new UsageError('--san is missing: an address or name under which others reach it, such as 10.0.0.11');
  }
  return { kind, authority: ca, out: out ?? name, name, units: ou, alternativeNames: san, days };
}

function dayCount(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= 36_500) return days;
  throw new InvalidArgumentError('It must be a whole number from 1 to 36500.');
}

/** The certificate's standard has no room for more. */
function nameText(text: string): string {
  if (text === '' || text.length > 64) throw new InvalidArgumentError('It must have 1 to 64 characters.');
  return text;
}

function hostName(text: string): string {
  if (
    /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(text) ||
    /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text)
  )
    return text;
  throw new InvalidArgumentError('It must be an address or a host name, without a port.');
}
