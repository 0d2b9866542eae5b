// The `Containers` of networks as lists had them before API 1.28: made from the rows of the containers, because engines
// tell them of one network at a time only.
import { numberMember, textMember } from '../../docker/go-member.ts';
import type { EndpointSettings, WireObject } from '../../docker/types.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { wholeRow } from '../../engine/kept-row.ts';

/** By the network's id; of each network the endpoints by the container's id. */
export function networkContainers(
  records: Iterable<ContainerRecord>,
): ReadonlyMap<string, Readonly<Record<string, WireObject>>> {
  const byNetwork = new Map<string, Record<string, WireObject>>();
  for (const { id, name, row } of records) {
    for (const endpoint of Object.values(wholeRow(row).NetworkSettings?.Networks ?? {})) {
      // Only containers that run have one.
      if (textMember(endpoint, 'EndpointID') === '') continue;
      const network = textMember(endpoint, 'NetworkID');
      byNetwork.set(network, { ...byNetwork.get(network), [id]: shownEndpoint(name, endpoint) });
    }
  }
  return byNetwork;
}

function shownEndpoint(name: string, endpoint: EndpointSettings): WireObject {
  return {
    Name: name,
    EndpointID: textMember(endpoint, 'EndpointID'),
    MacAddress: textMember(endpoint, 'MacAddress'),
    IPv4Address: withPrefix(textMember(endpoint, 'IPAddress'), numberMember(endpoint, 'IPPrefixLen')),
    IPv6Address: withPrefix(textMember(endpoint, 'GlobalIPv6Address'), numberMember(endpoint, 'GlobalIPv6PrefixLen')),
  };
}

function withPrefix(address: string, length: number): string {
  return address === '' ? '' : `${address}/${length}`;
}
