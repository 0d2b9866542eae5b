// busybox:latest as an archive for `docker load`. It is written here byte for byte, so that every engine gives it the
// same id without a registry or a first engine to build it on.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { runOrThrow } from './command.ts';
import { findProgram } from './packages.ts';
import { cacheDirectory } from './rig-kind.ts';

const archive = `${cacheDirectory}/busybox-image.tar`;

/** The path of the archive; built by the first who asks. */
export async function busyboxImageArchive(): Promise<string> {
  if (existsSync(archive)) return archive;
  mkdirSync(cacheDirectory, { recursive: true });
  const work = mkdtempSync(`${cacheDirectory}/image-`);
  try {
    await buildRoot(`${work}/root`);
    mkdirSync(`${work}/image`);
    await tar(`${work}/root`, `${work}/image/layer.tar`);
    describeImage(`${work}/image`);
    await tar(`${work}/image`, `${work}/archive.tar`);
    renameSync(`${work}/archive.tar`, archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}

async function buildRoot(root: string): Promise<void> {
  const busybox = await findProgram('busybox');
  if (busybox === undefined) throw new Error('busybox is not installed');
  for (const directory of ['bin', 'etc', 'home', 'root', 'tmp', 'usr/bin', 'var/www']) {
    mkdirSync(`${root}/${directory}`, { recursive: true });
  }
  copyFileSync(busybox, `${root}/bin/busybox`);
  const applets = (await runOrThrow(busybox, ['--list'])).split('\n');
  for (const applet of applets) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', `${root}/bin/${applet}`);
  }
  symlinkSync('/bin/env', `${root}/usr/bin/env`);
  writeFileSync(`${root}/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n');
  writeFileSync(`${root}/etc/group`, 'root:x:0:\nnobody:x:65534:\n');
}

function describeImage(directory: string): void {
  const layerDigest = sha256(readFileSync(`${directory}/layer.tar`));
  const created = '2024-01-01T00:00:00Z';
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created,
    config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created, created_by: 'busybox' }],
  });
  const configFile = `${sha256(Buffer.from(config))}.json`;
  writeFileSync(`${directory}/${configFile}`, config);
  const manifest = [{ Config: configFile, RepoTags: ['busybox:latest'], Layers: ['layer.tar'] }];
  writeFileSync(`${directory}/manifest.json`, JSON.stringify(manifest));
}

async function tar(directory: string, file: string): Promise<void> {
  const reproducible = [
    '--sort=name',
    '--mtime=@1704067200',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=go+rX',
  ];
  await runOrThrow('tar', ['-C', directory, ...reproducible, '-cf', file, '.']);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
