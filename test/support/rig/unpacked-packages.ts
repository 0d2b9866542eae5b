// Packages of other Debian releases, fetched with apt and its signature checks in a state of its own and unpacked into
// the cache folder, not installed. A folder appears under its name only when it is complete.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { run, runOrThrow, type Say } from './command.ts';
import { cacheDirectory } from './rig-kind.ts';

export type UnpackedName = 'engine-26.1' | 'engine-28.5' | 'consul' | 'buildx' | 'compose-v2';

const releases = 'bullseye trixie forky';

const packagesOf: Record<UnpackedName, readonly string[]> = {
  'engine-26.1': ['docker.io=26.1*', 'docker-cli=26.1*', 'containerd/trixie'],
  'engine-28.5': ['docker.io=28.5*', 'docker-cli=28.5*', 'containerd/forky'],
  consul: ['consul/bullseye'],
  buildx: ['docker-buildx/forky'],
  'compose-v2': ['docker-compose=2.40*'],
};

const sourcesFile = '/etc/apt/sources.list.d/debian.sources';

export function unpackedDirectory(name: UnpackedName): string {
  return `${cacheDirectory}/${name}`;
}

export async function fetchUnpacked(names: readonly UnpackedName[], say: Say): Promise<void> {
  say(`Downloading ${names.join(', ')}...`);
  mkdirSync(cacheDirectory, { recursive: true });
  removeAbandonedDownloads();
  const work = mkdtempSync(`${cacheDirectory}/download-`);
  try {
    const options = aptOptions(work);
    await thrice(async () => await runOrThrow('apt-get', [...options, '-q', 'update'], { timeoutMs: 300_000 }));
    for (const name of names) {
      await thrice(async () => {
        await fetchOne(name, options, work);
      });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fetchOne(name: UnpackedName, options: readonly string[], work: string): Promise<void> {
  const downloads = `${work}/${name}.debs`;
  const root = `${work}/${name}`;
  for (const directory of [downloads, root]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
  }
  await runOrThrow('apt-get', [...options, '-q', 'download', ...packagesOf[name]], {
    cwd: downloads,
    timeoutMs: 300_000,
  });
  for (const file of readdirSync(downloads)) await runOrThrow('dpkg', ['-x', `${downloads}/${file}`, root]);
  // The unpacked runc needs newer libraries than the machine has; the engines find the system's.
  await run('rm', ['-f', `${root}/usr/sbin/runc`, `${root}/usr/bin/runc`]);
  // Another run may have been quicker.
  if (!existsSync(unpackedDirectory(name))) renameSync(root, unpackedDirectory(name));
}

/** Of runs that were killed; a younger folder may belong to one that is still busy. */
function removeAbandonedDownloads(): void {
  const hourAgo = Date.now() - 3_600_000;
  for (const name of readdirSync(cacheDirectory).filter((entry) => entry.startsWith('download-'))) {
    const path = `${cacheDirectory}/${name}`;
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < hourAgo)
      rmSync(path, { recursive: true, force: true });
  }
}

function aptOptions(work: string): string[] {
  const sources = `${work}/other-releases.sources`;
  writeFileSync(sources, otherReleases());
  for (const directory of ['lists/partial', 'archives/partial']) mkdirSync(`${work}/${directory}`, { recursive: true });
  return [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${work}/lists`,
    `Dir::Cache::Archives=${work}/archives`,
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    // The user that apt would drop to cannot enter a folder of root's.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}

/** The machine's own first source with other releases, so that its mirror and its keys are used. */
function otherReleases(): string {
  if (!existsSync(sourcesFile)) {
    throw new Error(`${sourcesFile} is missing: the mirror to fetch Consul and other engine versions from is unknown`);
  }
  const stanza =
    readFileSync(sourcesFile, 'utf8')
      .trim()
      .split(/\n\s*\n/)[0] ?? '';
  return `${stanza.replace(/^#.*\n/gm, '').replace(/^Suites:.*$/m, `Suites: ${releases}`)}\n`;
}

async function thrice(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
