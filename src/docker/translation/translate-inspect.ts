// Gives the inspect of a container by an engine that does not speak the client's API version any more the fields that
// its version had. Fields that a newer version has besides do no harm: clients pass over what they do not know.
import { compareApiVersion, effectiveVersion, type ApiWindow } from '../api-version.ts';
import { goMember, mapMember, textListMember, textMember } from '../go-member.ts';
import { isBuiltinNetwork } from '../predefined-networks.ts';
import type { WireObject } from '../types.ts';
import { changeObject } from './create-body.ts';

interface LegacyRule {
  /** The API version that dropped it. */
  readonly until: string;
  readonly restore: (container: WireObject) => WireObject;
}

const legacyRules: readonly LegacyRule[] = [
  { until: '1.45', restore: withOwnAliases },
  { until: '1.52', restore: withBridgeAddresses },
];

/** `version` is the client's. */
export function translateInspect(container: WireObject, version: string, engineApi: ApiWindow): WireObject {
  const effective = effectiveVersion(version, engineApi);
  return legacyRules
    .filter(({ until }) => compareApiVersion(version, until) < 0 && compareApiVersion(effective, until) >= 0)
    .reduce((answer, { restore }) => restore(answer), container);
}

/** The short id and the host name were aliases on every user-defined network. */
function withOwnAliases(container: WireObject): WireObject {
  const own = [textMember(container, 'Id').slice(0, 12), textMember(goMember(container, 'Config'), 'Hostname')];
  return changeObject(container, 'NetworkSettings', (settings) =>
    changeObject(settings, 'Networks', (networks) => {
      const names = Object.keys(networks).filter((name) => !isBuiltinNetwork(name));
      return names.reduce(
        (changed, name) =>
          changeObject(changed, name, (endpoint) => {
            const aliases = [...textListMember(endpoint, 'Aliases'), ...own].filter((alias) => alias !== '');
            return { ...endpoint, Aliases: [...new Set(aliases)] };
          }),
        networks,
      );
    }),
  );
}

/** The addresses on the default bridge stood beside the networks too. */
function withBridgeAddresses(container: WireObject): WireObject {
  return changeObject(container, 'NetworkSettings', (settings) => {
    const bridge = goMember(mapMember(settings, 'Networks'), 'bridge');
    const texts = ['EndpointID', 'Gateway', 'GlobalIPv6Address', 'IPAddress', 'IPv6Gateway', 'MacAddress'];
    const numbers = ['GlobalIPv6PrefixLen', 'IPPrefixLen'];
    return {
      Bridge: '',
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      ...Object.fromEntries(texts.map((name) => [name, textMember(bridge, name)])),
      ...Object.fromEntries(numbers.map((name) => [name, goMember(bridge, name) ?? 0])),
      ...settings,
    };
  });
}
