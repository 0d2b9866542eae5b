// Images in the place of those that the Dockerfile and docker-compose.dev.yml name, for machines that reach no registry:
// made of this machine's programs and their libraries, at the paths at which the real images have them.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { run, runOrThrow } from './command.ts';
import type { RigEngine } from './engine.ts';
import { findProgram } from './packages.ts';
import { cacheDirectory, projectDirectory } from './rig-kind.ts';
import { unpackedDirectory } from './unpacked-packages.ts';

interface StandIn {
  readonly name: string;
  readonly changes: readonly string[];
  readonly fill: (root: string) => Promise<void>;
}

const path = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const standIns: readonly StandIn[] = [
  { name: 'node:20-slim', changes: [path], fill: fillNode },
  { name: 'hashicorp/consul:1.20', changes: [path, 'ENTRYPOINT ["consul"]'], fill: fillConsul },
  {
    name: 'docker:28-dind',
    changes: [path, 'VOLUME /var/lib/docker', 'ENTRYPOINT ["dockerd-entrypoint.sh"]'],
    fill: fillEngine,
  },
];

/** The engine has all of them when this resolves. */
export async function loadStandInImages(engine: RigEngine): Promise<void> {
  for (const { name, changes, fill } of standIns) {
    mkdirSync(cacheDirectory, { recursive: true });
    const work = mkdtempSync(`${cacheDirectory}/stand-in-`);
    try {
      const root = `${work}/root`;
      await fillBase(root);
      await fill(root);
      await runOrThrow('tar', ['-C', root, '--owner=0', '--group=0', '-cf', `${work}/root.tar`, '.']);
      const [repo = '', tag = ''] = name.split(':');
      const query = new URLSearchParams({ fromSrc: '-', repo, tag });
      for (const change of changes) query.append('changes', change);
      const answer = await engine.apiUpload('POST', `/images/create?${query.toString()}`, `${work}/root.tar`);
      if (answer.status !== 200 || answer.text.includes('"error"')) throw new Error(`${name}: ${answer.text}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
}

/** A shell and its tools, and the users of the real images. */
async function fillBase(root: string): Promise<void> {
  for (const directory of ['bin', 'etc', 'home/node', 'root', 'tmp', 'run', 'var/lib', 'usr/bin', 'usr/local/bin']) {
    mkdirSync(`${root}/${directory}`, { recursive: true });
  }
  symlinkSync('/run', `${root}/var/run`);
  symlinkSync('/bin/env', `${root}/usr/bin/env`);
  chmodSync(`${root}/tmp`, 0o1777);
  const busybox = await programPath('busybox');
  cpSync(busybox, `${root}/bin/busybox`);
  for (const applet of (await runOrThrow(busybox, ['--list'])).split('\n')) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', `${root}/bin/${applet}`);
  }
  writeFileSync(`${root}/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(`${root}/etc/group`, 'root:x:0:\nnode:x:1000:\n');
}

/** Its `npm ci` takes the packages of this clone, which are those of the lockfile. */
async function fillNode(root: string): Promise<void> {
  await install(root, realpathSync(process.execPath), '/usr/local/bin/node');
  const npm = realpathSync(await programPath('npm')).replace(/\/bin\/npm-cli\.js$/, '');
  cpSync(npm, `${root}/usr/local/lib/node_modules/npm`, { recursive: true });
  script(
    root,
    'npm',
    `[ "$1" = ci ] || exec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"
cp -a /packages/production/. .
case "$*" in *--omit=dev*) ;; *) cp -a /packages/build/. . ;; esac`,
  );
  const { production, build } = neededPackages();
  for (const [kind, places] of Object.entries({ production, build })) {
    for (const place of places) {
      cpSync(`${projectDirectory}/${place}`, `${root}/packages/${kind}/${place}`, { recursive: true });
    }
  }
  mkdirSync(`${root}/packages/build/node_modules/.bin`, { recursive: true });
  symlinkSync('../typescript/bin/tsc', `${root}/packages/build/node_modules/.bin/tsc`);
}

/** Places in the clone: what runs, and what compiles besides. */
function neededPackages(): { readonly production: readonly string[]; readonly build: readonly string[] } {
  const lock = JSON.parse(readFileSync(`${projectDirectory}/package-lock.json`, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const places = Object.entries(lock.packages).filter(
    ([place]) => place !== '' && existsSync(`${projectDirectory}/${place}`),
  );
  const compiles = /^node_modules\/(typescript|undici-types|@types\/[^/]+)$/;
  return {
    production: places.filter(([, { dev }]) => dev !== true).map(([place]) => place),
    build: places.filter(([place, { dev }]) => dev === true && compiles.test(place)).map(([place]) => place),
  };
}

async function fillConsul(root: string): Promise<void> {
  await install(root, `${unpackedDirectory('consul')}/usr/bin/consul`, '/bin/consul');
}

async function fillEngine(root: string): Promise<void> {
  const engine = unpackedDirectory('engine-28.5');
  const own = ['sbin/dockerd', 'sbin/docker-proxy', 'bin/docker', 'bin/containerd', 'bin/containerd-shim-runc-v2'];
  for (const program of own) {
    await install(root, `${engine}/usr/${program}`, `/usr/local/bin/${program.replace(/^.*\//, '')}`);
  }
  await install(root, await programPath('docker-init'), '/usr/local/bin/docker-init');
  await install(root, await programPath('runc'), '/usr/local/bin/runc');
  await install(root, realpathSync(await programPath('iptables')), '/usr/sbin/xtables-nft-multi');
  for (const name of ['iptables', 'ip6tables', 'iptables-save', 'iptables-restore']) {
    symlinkSync('xtables-nft-multi', `${root}/usr/sbin/${name}`);
  }
  cpSync('/usr/lib/x86_64-linux-gnu/xtables', `${root}/usr/lib/x86_64-linux-gnu/xtables`, { recursive: true });
  const hosts = '--host unix:///var/run/docker.sock --host tcp://0.0.0.0:2375';
  script(root, 'dockerd-entrypoint.sh', `exec dockerd ${hosts} --tls=false "$@"`);
}

/** The program with the libraries that it is linked to. */
async function install(root: string, program: string, target: string): Promise<void> {
  mkdirSync(dirname(`${root}${target}`), { recursive: true });
  cpSync(program, `${root}${target}`, { dereference: true });
  const { stdout } = await run('ldd', [program]);
  for (const library of stdout.match(/\/\S+(?= \(0x)/g) ?? []) {
    mkdirSync(dirname(`${root}${library}`), { recursive: true });
    cpSync(library, `${root}${library}`, { dereference: true });
  }
}

function script(root: string, name: string, text: string): void {
  writeFileSync(`${root}/usr/local/bin/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

async function programPath(name: string): Promise<string> {
  const found = await findProgram(name);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}
