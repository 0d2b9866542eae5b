// Ways to look at and to change the parts of a create body that rules are about. Everything that is not meant
// stays as the client wrote it.
import {
  changeGoMember,
  goMember,
  isWireObject,
  listMember,
  mapMember,
  textMember,
  withGoMember,
} from '../go-member.ts';
import type { WireObject } from '../types.ts';

type Change = (part: WireObject) => WireObject;

export function changeObject(object: WireObject, name: string, change: Change): WireObject {
  return changeGoMember(object, name, (value) => (isWireObject(value) ? change(value) : value));
}

export function changeHost(body: WireObject, change: Change): WireObject {
  return changeObject(body, 'HostConfig', change);
}

export function mountsOf(body: WireObject): readonly unknown[] {
  return listMember(goMember(body, 'HostConfig'), 'Mounts');
}

export function changeMounts(body: WireObject, change: Change): WireObject {
  return changeHost(body, (host) =>
    changeGoMember(host, 'Mounts', (mounts) => (Array.isArray(mounts) ? changeEach(mounts, change) : mounts)),
  );
}

/** As written; "default" when absent. */
export function networkModeOf(body: WireObject): string {
  return textMember(goMember(body, 'HostConfig'), 'NetworkMode') || 'default';
}

/** By network. */
export function endpointsOf(body: WireObject): WireObject {
  return mapMember(goMember(body, 'NetworkingConfig'), 'EndpointsConfig');
}

export function withEndpoints(body: WireObject, endpoints: WireObject): WireObject {
  const networking = goMember(body, 'NetworkingConfig');
  const changed = withGoMember(isWireObject(networking) ? networking : {}, 'EndpointsConfig', endpoints);
  return withGoMember(body, 'NetworkingConfig', changed);
}

export function changeEndpoints(body: WireObject, change: Change): WireObject {
  return changeObject(body, 'NetworkingConfig', (networking) =>
    changeObject(networking, 'EndpointsConfig', (endpoints) => {
      const entries = Object.entries(endpoints);
      const changed = entries.map(([name, value]) => [name, isWireObject(value) ? change(value) : value] as const);
      return changed.every(([, value], index) => value === entries[index]?.[1])
        ? endpoints
        : Object.fromEntries(changed);
    }),
  );
}

function changeEach(values: readonly unknown[], change: Change): readonly unknown[] {
  const changed = values.map((value) => (isWireObject(value) ? change(value) : value));
  return changed.every((value, index) => value === values[index]) ? values : changed;
}
