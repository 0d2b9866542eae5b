// Rows of GET /containers/json as clients see them: the engine's own, with what tells the node, and with a `Status`
// that is made at the moment of the answer, because it ages.
import type { Cluster } from '../../cluster/cluster.ts';
import { withAskedNetworkMode } from '../../docker/network-mode.ts';
import { statusText } from '../../docker/status-text.ts';
import type { ContainerRow, PortRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import { wholeRow } from '../../engine/kept-row.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { ApiSettings } from '../settings.ts';
import { publishedAddress } from './published-address.ts';

/** The label by which `docker ps --format` shows the node; added to answers only, never to the container. */
const nodeLabel = 'com.docker.swarm.node';

/** What a row tells of the node that has the container. */
export interface RowNode {
  readonly name: string;
  /** Its address without the port. */
  readonly host: string;
  readonly isHealthy: boolean;
  /** Containers are named `/node/name` only. */
  readonly prefixesNames: boolean;
}

export function rowNode({ cluster, settings }: RowContext, engine: Engine): RowNode {
  return {
    name: cluster.members.identityOf(engine).name,
    host: engine.host,
    isHealthy: engine.state === 'healthy',
    prefixesNames: settings.prefixesNamesWithNode,
  };
}

/** Of a call. */
interface RowContext {
  readonly cluster: Pick<Cluster, 'members'>;
  readonly settings: Pick<ApiSettings, 'prefixesNamesWithNode'>;
}

/** `row`, which may be a fresher one than the record's, as clients see it. */
export function shownContainerRow(
  row: ContainerRow,
  record: ContainerRecord,
  node: RowNode,
  now: number,
): ContainerRow {
  return { ...shownFields(row, node), Status: rowStatus(record, node, now) };
}

/** Containers of a node that does not answer stay listed, so that Compose does not take them for gone. */
export function rowStatus({ row, details }: ContainerRecord, node: RowNode, now: number): string {
  if (!node.isHealthy) return 'Host Down';
  return details === undefined ? (row.Status ?? '') : statusText(details, now);
}

/** As clients see the row, but for its `Status`, which is the engine's own. */
export function shownFields(kept: ContainerRow, node: RowNode): ContainerRow {
  const row = wholeRow(kept);
  return {
    ...row,
    Names: shownNames(row.Names, node),
    Ports: shownPorts(row.Ports ?? [], node.host),
    Labels: { ...row.Labels, [nodeLabel]: node.name },
    ...(row.HostConfig ? { HostConfig: withAskedNetworkMode(row.HostConfig, row.Labels) } : {}),
  };
}

/** The plain names first, since the CLI prints the first and Compose takes service names from it. */
function shownNames(names: readonly string[], { name, prefixesNames }: RowNode): string[] {
  const prefixed = names.map((plain) => `/${name}${plain}`);
  return prefixesNames ? prefixed : [...names, ...prefixed];
}

/** An entry for IPv6 is left out only where another entry shows the same port of the container. */
function shownPorts(ports: readonly PortRow[], host: string): PortRow[] {
  return ports.flatMap((port) => {
    if (port.IP === undefined) return [port];
    const IP = publishedAddress(port.IP, host);
    if (IP !== undefined) return [{ ...port, IP }];
    const isRepeated = ports.some(
      (other) =>
        other.PrivatePort === port.PrivatePort &&
        other.Type === port.Type &&
        other.IP !== undefined &&
        publishedAddress(other.IP, host) !== undefined,
    );
    return isRepeated ? [] : [port];
  });
}
