// Mounts of a create body, between the versions: what read-only means for submounts, which options fit which
// type, and host directories that are to be made.
import {
  goMember,
  isWireObject,
  listMember,
  textListMember,
  textMember,
  withGoMember,
  withoutGoMember,
} from '../go-member.ts';
import type { WireObject } from '../types.ts';
import { changeHost, changeMounts, changeObject, mountsOf } from './create-body.ts';

export function hasMountOfType(body: WireObject, type: string): boolean {
  return mountsOf(body).some((mount) => textMember(mount, 'Type') === type);
}

/** Whether some mount has the member `option` of `group` set to something. */
export function hasMountOption(body: WireObject, group: string, option: string): boolean {
  return mountsOf(body).some((mount) => {
    const value = goMember(goMember(mount, group), option);
    return value !== undefined && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0);
  });
}

/** Whether some bind is read-only and says nothing of the file systems mounted below it. */
export function hasReadOnlyBind(body: WireObject): boolean {
  const binds = textListMember(goMember(body, 'HostConfig'), 'Binds');
  return mountsOf(body).some(isPlainReadOnlyBind) || binds.some(isReadOnlyHostPath);
}

/** Host directories that are to be made are written as `Binds`, for which an engine has always made them. */
export function directoriesAsBinds(body: WireObject): WireObject {
  const binds = mountsOf(body).map(bindFor);
  const made = binds.filter((bind) => bind !== undefined);
  if (made.length === 0) return body;
  return changeHost(body, (host) => {
    const mounts = listMember(host, 'Mounts').filter((_, index) => binds[index] === undefined);
    return withGoMember(withGoMember(host, 'Mounts', mounts), 'Binds', [...listMember(host, 'Binds'), ...made]);
  });
}

/** Before 1.44 nothing below a read-only bind was read-only. */
export function withNonRecursiveReadOnly(body: WireObject): WireObject {
  return changeMounts(body, (mount) => {
    if (!isReadOnlyBind(mount)) return mount;
    const options = goMember(mount, 'BindOptions');
    const changed = withGoMember(isWireObject(options) ? options : {}, 'ReadOnlyNonRecursive', true);
    return withGoMember(mount, 'BindOptions', changed);
  });
}

export function withoutBindOption(body: WireObject, option: string): WireObject {
  return changeMounts(body, (mount) =>
    changeObject(mount, 'BindOptions', (options) => withoutGoMember(options, option)),
  );
}

/** Options that belong to mounts of another type, which nobody minded before 1.42. */
export function withoutForeignOptions(body: WireObject): WireObject {
  return changeMounts(body, (mount) => {
    const type = textMember(mount, 'Type');
    const withoutVolume = type === 'volume' ? mount : withoutGoMember(mount, 'VolumeOptions');
    return type === 'tmpfs' ? withoutVolume : withoutGoMember(withoutVolume, 'TmpfsOptions');
  });
}

function isReadOnlyBind(mount: unknown): boolean {
  return textMember(mount, 'Type') === 'bind' && goMember(mount, 'ReadOnly') === true;
}

function isPlainReadOnlyBind(mount: unknown): boolean {
  const options = goMember(mount, 'BindOptions');
  const saysMore = ['NonRecursive', 'ReadOnlyNonRecursive', 'ReadOnlyForceRecursive'].some(
    (option) => goMember(options, option) === true,
  );
  return isReadOnlyBind(mount) && !saysMore;
}

function isReadOnlyHostPath(bind: string): boolean {
  const [source = '', , options = ''] = bind.split(':');
  return source.startsWith('/') && options.split(',').includes('ro');
}

/** undefined: the mount need not be a bind, or cannot be written as one. */
function bindFor(mount: unknown): string | undefined {
  const options = goMember(mount, 'BindOptions');
  const [source, target] = [textMember(mount, 'Source'), textMember(mount, 'Target')];
  const isWanted = textMember(mount, 'Type') === 'bind' && goMember(options, 'CreateMountpoint') === true;
  const isPossible =
    source.startsWith('/') && !`${source}${target}`.includes(':') && goMember(options, 'NonRecursive') !== true;
  if (!isWanted || !isPossible) return undefined;
  const mode = [goMember(mount, 'ReadOnly') === true ? 'ro' : '', textMember(options, 'Propagation')];
  return [source, target, mode.filter((word) => word !== '').join(',')].filter((part) => part !== '').join(':');
}
