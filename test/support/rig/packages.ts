// The programs that a rig needs: from the machine's own packages, or unpacked beside them into the cache folder where
// another version is wanted. Only what is asked for and missing is fetched; the rest of the machine stays as it is.
import { constants, existsSync, mkdirSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { run, runOrThrow, systemEnvironment, type Say } from './command.ts';
import { fetchUnpacked, unpackedDirectory, type UnpackedName } from './unpacked-packages.ts';

export type Need =
  | 'engine-20.10'
  | 'engine-26.1'
  | 'engine-28.5'
  | 'cli-26.1'
  | 'consul'
  | 'buildx'
  | 'compose-v1'
  | 'compose-v2'
  | 'registry'
  | 'etcd'
  | 'zookeeper'
  | 'haproxy'
  | 'terminal'
  | 'capture';

/** This machine cannot run a rig. The message says what is missing and what works without it. */
export class MachineUnfitError extends Error {}

/** Program or file that tells whether a Debian package is there, and the package. */
const systemPrograms: Partial<Record<Need, Readonly<Record<string, string>>>> = {
  'engine-20.10': { dockerd: 'docker.io' },
  'compose-v1': { 'docker-compose': 'docker-compose' },
  registry: { 'docker-registry': 'docker-registry' },
  etcd: { etcd: 'etcd-server' },
  // The server itself, without the service that its other package starts.
  zookeeper: { '/usr/share/java/zookeeper.jar': 'libzookeeper-java', java: 'default-jre-headless' },
  haproxy: { haproxy: 'haproxy' },
  terminal: { tmux: 'tmux' },
  capture: { tcpdump: 'tcpdump' },
};

/** Every rig: networks, namespaces, the image. The newer engines use the runc that comes with docker.io. */
const everyRig = {
  ip: 'iproute2',
  iptables: 'iptables',
  runc: 'docker.io',
  containerd: 'docker.io',
  docker: 'docker.io',
  setpriv: 'util-linux',
  nsenter: 'util-linux',
};

const unpackedFor: Partial<Record<Need, UnpackedName>> = {
  'engine-26.1': 'engine-26.1',
  'engine-28.5': 'engine-28.5',
  'cli-26.1': 'engine-26.1',
  consul: 'consul',
  buildx: 'buildx',
  'compose-v2': 'compose-v2',
};

/** Installs and downloads what is missing. Throws MachineUnfitError where that is impossible. */
export async function preparePackages(needs: readonly Need[], say: Say): Promise<void> {
  const missing = await missingSystemPackages(needs);
  const unpacked = [...new Set(needs.flatMap((need) => unpackedFor[need] ?? []))];
  const absent = unpacked.filter((name) => !existsSync(unpackedDirectory(name)));
  await requireFitMachine([...missing, ...absent]);
  if (missing.length > 0) await installSystemPackages(missing, say);
  if (absent.length > 0) await fetchUnpacked(absent, say);
}

/** PATH that finds the programs of `need` first. */
export function searchPath(need: Need): string {
  const name = unpackedFor[need];
  const own = systemEnvironment()['PATH'] ?? '';
  if (name === undefined) return own;
  const directory = unpackedDirectory(name);
  return `${directory}/usr/sbin:${directory}/usr/bin:${own}`;
}

async function missingSystemPackages(needs: readonly Need[]): Promise<string[]> {
  const wanted = Object.entries(
    Object.assign({}, everyRig, ...needs.map((need) => systemPrograms[need] ?? {})) as Record<string, string>,
  );
  const missing = new Set<string>();
  for (const [program, debianPackage] of wanted) {
    if ((await findProgram(program)) === undefined) missing.add(debianPackage);
  }
  if (!(await isStaticBusyboxPresent())) missing.add('busybox-static');
  return [...missing];
}

/** Its path; undefined when PATH does not lead to it. A path stands for itself, whatever its file is. */
export async function findProgram(name: string): Promise<string | undefined> {
  if (name.startsWith('/')) return existsSync(name) ? name : undefined;
  for (const directory of (systemEnvironment()['PATH'] ?? '').split(':')) {
    const path = `${directory}/${name}`;
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

async function isStaticBusyboxPresent(): Promise<boolean> {
  const path = await findProgram('busybox');
  if (path === undefined) return false;
  // ldd fails for a program that is not linked dynamically.
  return (await run('ldd', [path])).code !== 0;
}

async function requireFitMachine(missing: readonly string[]): Promise<void> {
  const problems: string[] = [];
  if (process.platform !== 'linux') problems.push(`Linux is needed, this is ${process.platform}`);
  else if (process.getuid?.() !== 0) problems.push('root is needed (namespaces and engines), this is another user');
  if (missing.length > 0 && !(await hasApt())) {
    problems.push(`these are missing, and there is no apt of Debian to install them: ${missing.join(', ')}`);
  }
  if (problems.length === 0) return;
  throw new MachineUnfitError(
    [
      'Real Docker engines cannot be started on this machine:',
      ...problems.map((problem) => `  - ${problem}`),
      'What works without them:',
      '  - npm run check                                   static checks, unit and integration tests',
      '  - docker-compose -f docker-compose.dev.yml up     the same cluster inside an existing Docker engine',
    ].join('\n'),
  );
}

async function hasApt(): Promise<boolean> {
  return existsSync('/etc/debian_version') && (await findProgram('apt-get')) !== undefined;
}

async function installSystemPackages(names: readonly string[], say: Say): Promise<void> {
  say(`Installing ${names.join(', ')}...`);
  const env = { ...systemEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', 'install', ...names];
  mkdirSync('/var/lib/apt/lists/partial', { recursive: true });
  // An interrupted earlier installation would make every later one fail.
  await run('dpkg', ['--configure', '-a'], { env, timeoutMs: 300_000 });
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const installed = await run('apt-get', install, { env, timeoutMs: 600_000 });
    if (installed.code === 0) return;
    await run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', 'update'], { env, timeoutMs: 300_000 });
  }
  await runOrThrow('apt-get', install, { env, timeoutMs: 600_000 });
}
