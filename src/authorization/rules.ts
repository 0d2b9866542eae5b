// Who may do what: the rules as the file has them. The first rule that names a caller decides for it.
import { timingSafeEqual } from 'node:crypto';

/** What a call does; the routes of each are in src/api/verbs.ts. */
export const verbs = [
  'read',
  'logs',
  'copy',
  'create',
  'run',
  'exec',
  'remove',
  'build',
  'image',
  'network',
  'volume',
  'plugin',
  'node',
] as const;

export type Verb = (typeof verbs)[number];

/** What a container, or a command in one, may not have. */
export const hazards = [
  'privileged',
  'host-mounts',
  'host-network',
  'host-pid',
  'host-ipc',
  'host-uts',
  'host-user',
  'host-cgroup',
  'capabilities',
  'devices',
  'security-options',
] as const;

export type Hazard = (typeof hazards)[number];

/** One way to name callers. */
export type Name =
  | { readonly kind: 'anyone' }
  /** Whoever comes through a unix socket. */
  | { readonly kind: 'local' }
  /** Of a certificate its common name, unit, serial number or SHA-256 fingerprint; of a token its name. */
  | { readonly kind: 'name' | 'unit' | 'serial' | 'fingerprint' | 'token'; readonly value: string };

export interface Rule {
  readonly name: string;
  readonly who: readonly Name[];
  readonly verbs: ReadonlySet<Verb>;
  /** Containers without these labels are neither seen nor touched. */
  readonly labels: Readonly<Record<string, string>>;
  /** Names of nodes, "*" for any characters; empty: all nodes. */
  readonly nodes: readonly string[];
  readonly forbidden: ReadonlySet<Hazard>;
  /** Folders of the host that may be mounted although `host-mounts` is forbidden. */
  readonly mounts: readonly string[];
}

export interface Token {
  readonly name: string;
  /** SHA-256 of the token. */
  readonly hash: Buffer;
}

export interface Rules {
  readonly tokens: readonly Token[];
  readonly revoked: readonly Name[];
  /** Of calls that these pass on, whom they call the caller is it. */
  readonly managers: readonly Name[];
  /** Who may announce engines; undefined: whoever is let in at all. */
  readonly agents: readonly Name[] | undefined;
  readonly rules: readonly Rule[];
}

/** As what somebody calls. Members are absent where there is none. */
export interface Caller {
  readonly certificate?: {
    readonly name: string;
    readonly units: readonly string[];
    /** Upper-case hexadecimal digits. */
    readonly serial: string;
    /** The same. */
    readonly fingerprint: string;
  };
  readonly token?: string;
  /** Undefined for a unix socket. */
  readonly address: string | undefined;
}

/** The rule that decides for `caller`; undefined when none names it. */
export function ruleFor({ rules }: Rules, caller: Caller): Rule | undefined {
  return rules.find(({ who }) => who.some((name) => isNamed(name, caller)));
}

/** How the file revokes `caller`; undefined when it does not. */
export function revocationOf({ revoked }: Rules, caller: Caller): Name | undefined {
  return revoked.find((name) => isNamed(name, caller));
}

/** Whether `caller` is a manager that says who calls. */
export function isManager(rules: Rules, caller: Caller): boolean {
  return rules.managers.some((name) => isNamed(name, caller)) && revocationOf(rules, caller) === undefined;
}

/** Whether `caller` may announce and withdraw engines. */
export function isAgent(rules: Rules, caller: Caller): boolean {
  const isNamedAgent = rules.agents?.some((name) => isNamed(name, caller)) ?? true;
  return isNamedAgent && revocationOf(rules, caller) === undefined;
}

/** The name of the token whose hash is `hash`. Takes the same time for each token, found or not. */
export function tokenNamed({ tokens }: Rules, hash: Buffer): string | undefined {
  return tokens.filter((token) => timingSafeEqual(token.hash, hash)).at(-1)?.name;
}

/** For people: "ann", or "anonymous". */
export function describeCaller({ certificate, token, address }: Caller): string {
  const names = [certificate?.name, token && `token ${token}`].filter((name) => name !== undefined && name !== '');
  if (names.length > 0) return names.join(' with ');
  return address === undefined ? 'local' : 'anonymous';
}

/** Whether the engine of this name is one of the rule's. */
export function includesNode({ nodes }: Rule, name: string): boolean {
  return nodes.length === 0 || nodes.some((pattern) => new RegExp(`^${nodePattern(pattern)}$`).test(name));
}

/** `pattern` as a regular expression that JavaScript and RE2 read alike. */
export function nodePattern(pattern: string): string {
  return pattern.replace(/[.+?^${}()|[\]\\/]/g, '\\$&').replaceAll('*', '.*');
}

function isNamed(name: Name, { certificate, token, address }: Caller): boolean {
  switch (name.kind) {
    case 'anyone':
      return true;
    case 'local':
      return address === undefined;
    case 'token':
      return token === name.value;
    case 'unit':
      return certificate?.units.includes(name.value) === true;
    case 'name':
    case 'serial':
    case 'fingerprint':
      return certificate?.[name.kind] === name.value;
  }
}
