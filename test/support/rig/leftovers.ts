// What a rig has outside its own folder: processes, links, mounts, cgroups, a firewall rule. Found by name and mark
// alone, so that the remains of an owner that was killed are found without its help. Only the holder of the kind's
// lock may clean.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './command.ts';
import { thaw } from './frozen.ts';
import { cgroupParent, linkPrefix, bridgeName, markVariable, stateDirectory, type RigKind } from './rig-kind.ts';

/** Names of everything of this kind that exists now; empty when nothing does. */
export async function leftovers(kind: RigKind): Promise<string[]> {
  return [
    ...markedProcesses(kind).map((pid) => `process ${pid} (${commandLine(pid)})`),
    ...(await links(kind)).map((link) => `link ${link}`),
    ...mounts(kind).map((mount) => `mount ${mount}`),
    ...cgroups(kind).map((directory) => `cgroup ${directory}`),
    ...((await hasForwardRule(kind)) ? [`firewall rule for ${bridgeName(kind)}`] : []),
    ...(existsSync(stateDirectory(kind)) ? [`folder ${stateDirectory(kind)}`] : []),
  ];
}

/** Kills and removes everything of this kind. Throws, naming what remains, when something resists. */
export async function removeLeftovers(kind: RigKind): Promise<void> {
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    killMarkedProcesses(kind);
    thaw(cgroupParent(kind));
    if (markedProcesses(kind).length === 0) break;
    await delay(50);
  }
  for (const link of await links(kind)) await run('ip', ['link', 'delete', link]);
  for (const mount of mounts(kind).reverse()) await run('umount', ['--lazy', mount]);
  while (await hasForwardRule(kind)) {
    const removed = await run('iptables', ['-w', '-D', 'FORWARD', ...forwardRule(kind)]);
    if (removed.code !== 0) break;
  }
  // The kernel frees cgroups and mounts a moment after the last process of them is gone.
  for (
    let attempt = 1;
    attempt <= 100 && (cgroups(kind).length > 0 || existsSync(stateDirectory(kind)));
    attempt += 1
  ) {
    for (const directory of cgroups(kind)) removeCgroup(directory);
    try {
      rmSync(stateDirectory(kind), { recursive: true, force: true });
    } catch {
      await delay(50);
    }
    if (cgroups(kind).length > 0) await delay(50);
  }
  const remaining = await leftovers(kind);
  if (remaining.length > 0) throw new Error(`cannot clean up the ${kind.name} rig: ${remaining.join(', ')}`);
}

/** Ends whatever a rig of this kind has running, at once and without order. */
export function killMarkedProcesses(kind: RigKind): void {
  for (const pid of markedProcesses(kind)) killProcess(pid);
}

/** Lets packets pass between the nodes where a firewall drops what is forwarded. */
export function forwardRule(kind: RigKind): string[] {
  return ['-i', bridgeName(kind), '-o', bridgeName(kind), '-j', 'ACCEPT'];
}

function markedProcesses(kind: RigKind): number[] {
  const mark = `${markVariable}=${kind.name}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environment(pid).includes(mark));
}

function environment(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split('\0');
}

function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim().slice(0, 80);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

async function links(kind: RigKind): Promise<string[]> {
  const { stdout } = await run('ip', ['-oneline', 'link', 'show']);
  return stdout
    .split('\n')
    .map((line) => /^\d+: ([^:@ ]+)/.exec(line)?.[1] ?? '')
    .filter((name) => name.startsWith(linkPrefix(kind)));
}

function mounts(kind: RigKind): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path === stateDirectory(kind) || path.startsWith(`${stateDirectory(kind)}/`));
}

/** The kind's top folders, one per controller of version 1 or one in all of version 2. */
function cgroups(kind: RigKind): string[] {
  const root = '/sys/fs/cgroup';
  return ['', ...subdirectories(root).map((name) => `/${name}`)]
    .map((controller) => `${root}${controller}${cgroupParent(kind)}`)
    .filter((path) => existsSync(path));
}

function removeCgroup(directory: string): void {
  for (const name of subdirectories(directory)) removeCgroup(`${directory}/${name}`);
  try {
    rmdirSync(directory);
  } catch {
    // Still busy; the next attempt finds it.
  }
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

async function hasForwardRule(kind: RigKind): Promise<boolean> {
  const { code } = await run('iptables', ['-w', '-C', 'FORWARD', ...forwardRule(kind)]);
  return code === 0;
}

/** Empty when the file is gone, as that of a process that just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
