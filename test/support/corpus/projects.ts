// The Compose files of test/corpus, and what a player cannot read from them. Each is played in a copy of its folder.
import { readdirSync } from 'node:fs';
import { projectDirectory } from '../rig/rig-kind.ts';

export type ComposeVersion = 'v1' | 'v2';

export type NetworkKind = 'bridge' | 'overlay';

export interface Project {
  /** Its folder's name. */
  readonly name: string;
  /** Besides compose.yaml. */
  readonly overrides: readonly string[];
  /** The service of which there can be three; 'none' when there is no such. */
  readonly scaled: string;
  /** Whose containers end by themselves. */
  readonly ends: readonly string[];
  readonly builds: boolean;
  /** Services that are restarted one after the other: an engine refuses one by chance whose network another one has just left. */
  readonly restartedInTurn: readonly string[];
  /** Why Compose v1 does not read the file; undefined when it does. */
  readonly newerOnly: string | undefined;
  /** Docker commands to run before the first and after the last command of Compose. */
  readonly before: readonly (readonly string[])[];
  readonly after: readonly (readonly string[])[];
}

/** The service of which there can be three; 'none' where a name or Compose's own choice among equals forbids it. */
const details: Readonly<Record<string, { readonly scaled: string } & Partial<Project>>> = {
  aliases: { scaled: 'admin' },
  'bind-mounts': { scaled: 'reader' },
  blog: { scaled: 'database' },
  build: { scaled: 'web', builds: true, ends: ['job'] },
  'env-files': { scaled: 'none' },
  extends: { scaled: 'canary' },
  external: {
    scaled: 'client',
    // The label says with whose networks and volumes they must lie on one node.
    before: [
      ['network', 'create', '--label', 'com.docker.compose.project=corpus-external', 'corpus-shared'],
      ['volume', 'create', '--label', 'com.docker.compose.project=corpus-external', 'corpus-kept'],
    ],
    after: [
      ['network', 'rm', 'corpus-shared'],
      ['volume', 'rm', 'corpus-kept'],
    ],
  },
  'extra-hosts': { scaled: 'other' },
  hardened: { scaled: 'writer' },
  healthchecks: { scaled: 'front', ends: ['migrate'] },
  'host-network': { scaled: 'plain' },
  jobs: { scaled: 'after', ends: ['good', 'bad', 'stubborn'] },
  limits: { scaled: 'worker' },
  logging: { scaled: 'local' },
  modern: { scaled: 'db', builds: true, newerOnly: 'include, dockerfile_inline, optional env_file' },
  monitoring: { scaled: 'exporter' },
  named: { scaled: 'none' },
  overrides: { scaled: 'db', overrides: ['development.yaml'] },
  ports: { scaled: 'ephemeral' },
  profiles: { scaled: 'mail' },
  'secrets-configs': { scaled: 'app' },
  'several-networks': { scaled: 'visitor' },
  sidecar: { scaled: 'client', restartedInTurn: ['app', 'proxy', 'client'] },
  'static-addresses': { scaled: 'client' },
  'three-tiers': { scaled: 'web' },
  volumes: { scaled: 'reader' },
  voting: { scaled: 'worker' },
  'web-db-cache': { scaled: 'cache' },
  workers: { scaled: 'worker' },
};

export const corpusDirectory = `${projectDirectory}/test/corpus`;

/** Throws when a folder has no details here, or the other way round. */
export function corpusProjects(): readonly Project[] {
  const folders = readdirSync(corpusDirectory).sort();
  const unknown = folders.filter((name) => !(name in details));
  const missing = Object.keys(details).filter((name) => !folders.includes(name));
  if (unknown.length + missing.length > 0) {
    throw new Error(`the corpus and its table differ: ${[...unknown, ...missing].join(', ')}`);
  }
  return Object.entries(details).map(([name, given]) => ({
    ...{
      name,
      overrides: [],
      ends: [],
      builds: false,
      restartedInTurn: [],
      newerOnly: undefined,
      before: [],
      after: [],
    },
    ...given,
  }));
}
