// What a create body asks for that rules may forbid. It is read as Go's decoder reads it, and strictly: a member that is
// written twice in different case, which Go merges, would say one thing here and another to the engine.
import { posix } from 'node:path';
import { goMember, isWireObject, listMember, mapMember, textListMember, textMember } from '../docker/go-member.ts';
import type { Hazard, Rule } from './rules.ts';

/** What is forbidden and why it is there, in words; undefined when nothing is. */
export function forbiddenInContainer(body: unknown, rule: Rule): string | undefined {
  const host = goMember(body, 'HostConfig');
  const ambiguous = [body, host, ...listMember(host, 'Mounts').flatMap(partsOfMount)].find(isAmbiguous);
  if (ambiguous !== undefined) return 'a member is written twice, in different case';
  const asks = [...requests(host), ...hostPaths(host).map((path) => hostMount(path, rule))];
  return asks.find(([hazard, text]) => text !== '' && rule.forbidden.has(hazard))?.[1];
}

/** The same for a volume: one of the local driver may be a folder of the host. */
export function forbiddenInVolume(body: unknown, rule: Rule): string | undefined {
  if (isAmbiguous(body)) return 'a member is written twice, in different case';
  const path = devicePath(mapMember(body, 'DriverOpts'));
  const [hazard, text] = path === undefined ? noMount : hostMount(path, rule);
  return text !== '' && rule.forbidden.has(hazard) ? text : undefined;
}

/** The same for a command in a container. */
export function forbiddenInExec(body: unknown, { forbidden }: Rule): string | undefined {
  if (isAmbiguous(body)) return 'a member is written twice, in different case';
  return forbidden.has('privileged') && goMember(body, 'Privileged') === true ? 'a privileged command' : undefined;
}

type Ask = readonly [hazard: Hazard, text: string];

const noMount: Ask = ['host-mounts', ''];

/** The text is '' where nothing is asked for. */
function requests(host: unknown): Ask[] {
  const mode = (member: string): boolean => textMember(host, member) === 'host';
  const asksFor = (...members: readonly string[]): boolean => members.some((name) => listMember(host, name).length > 0);
  return [
    ['privileged', goMember(host, 'Privileged') === true ? 'a privileged container' : ''],
    ['host-network', mode('NetworkMode') ? 'the network of the host' : ''],
    ['host-pid', mode('PidMode') ? 'the processes of the host' : ''],
    ['host-ipc', mode('IpcMode') ? 'the IPC of the host' : ''],
    ['host-uts', mode('UTSMode') ? 'the host name of the host' : ''],
    ['host-user', mode('UsernsMode') ? 'the users of the host' : ''],
    ['host-cgroup', mode('CgroupnsMode') ? 'the control groups of the host' : ''],
    ['capabilities', asksFor('CapAdd') ? `the capabilities ${textListMember(host, 'CapAdd').join(', ')}` : ''],
    ['devices', asksFor('Devices', 'DeviceRequests', 'DeviceCgroupRules') ? 'devices of the host' : ''],
    ['security-options', weakens(host) ? 'less confinement' : ''],
  ];
}

/** Options that take a profile away; the engine's own paths are masked unless the lists are there and say otherwise. */
function weakens(host: unknown): boolean {
  const options = textListMember(host, 'SecurityOpt').map((option) => option.toLowerCase().replace(/[:=]/, '='));
  const isWeak = options.some((option) => /=unconfined$|^label=disable|^no-new-privileges=false/.test(option));
  return isWeak || Array.isArray(goMember(host, 'MaskedPaths')) || Array.isArray(goMember(host, 'ReadonlyPaths'));
}

function hostMount(path: string, { mounts }: Rule): Ask {
  const clean = posix.normalize(path);
  const isAllowed = mounts.some((folder) => isWithin(clean, posix.normalize(folder)));
  return isAllowed ? noMount : ['host-mounts', `the path ${clean} of the host`];
}

function isWithin(path: string, folder: string): boolean {
  const parent = folder.replace(/\/+$/, '');
  return path === parent || path.startsWith(`${parent}/`);
}

function hostPaths(host: unknown): string[] {
  const binds = textListMember(host, 'Binds').filter((bind) => bind.startsWith('/') && bind.includes(':'));
  return [...binds.map((bind) => bind.slice(0, bind.indexOf(':'))), ...listMember(host, 'Mounts').flatMap(mountPath)];
}

function mountPath(mount: unknown): string[] {
  const type = textMember(mount, 'Type').toLowerCase();
  if (type === 'bind' || type === 'npipe') return [textMember(mount, 'Source')];
  const driver = goMember(goMember(mount, 'VolumeOptions'), 'DriverConfig');
  return [devicePath(mapMember(driver, 'Options'))].filter((path) => path !== undefined);
}

/** The local driver mounts what `device` names, as mount(8) does. */
function devicePath(options: Readonly<Record<string, unknown>>): string | undefined {
  const { device } = options;
  return typeof device === 'string' && device.startsWith('/') ? device : undefined;
}

function partsOfMount(mount: unknown): unknown[] {
  const volume = goMember(mount, 'VolumeOptions');
  return [mount, volume, goMember(volume, 'DriverConfig')];
}

/** Go also takes the long s and the sign of Kelvin for s and k. */
function isAmbiguous(object: unknown): boolean {
  if (!isWireObject(object)) return false;
  const keys = Object.keys(object);
  return (
    keys.some((key) => /[\u017f\u212a]/.test(key)) || new Set(keys.map((key) => key.toLowerCase())).size < keys.length
  );
}
