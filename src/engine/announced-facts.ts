// What the agent on a node says about it, which no engine knows: its id, labels, reserve, disk and ports that programs
// of its own hold. The text of it travels with the announcement; what cannot be understood in it is left out.
import { listMember, numberMember, textMapMember, textMember } from '../docker/go-member.ts';

export interface AnnouncedFacts {
  /** The node's own id, kept over a change of its address and a new engine; '' when it has none. */
  readonly id: string;
  /** They win over the engine's. */
  readonly labels: Readonly<Record<string, string>>;
  /** Ports of the node that are taken, though by no container. */
  readonly ports: readonly TakenPort[];
  /** How full the engine's disk is at least, in percent; 0 when that is unknown. */
  readonly diskPercent: number;
  /** What containers must leave to the node. */
  readonly reservedNanoCpus: number;
  readonly reservedMemoryBytes: number;
}

export interface TakenPort {
  readonly protocol: 'tcp' | 'udp';
  /** '' means every address of the node. */
  readonly ip: string;
  readonly port: number;
}

export const noFacts: AnnouncedFacts = {
  id: '',
  labels: {},
  ports: [],
  diskPercent: 0,
  reservedNanoCpus: 0,
  reservedMemoryBytes: 0,
};

/**
 * The shortest text that says `facts`, '' when they say nothing. Of more ports than fit in `maxBytes` the highest are left
 * out. Throws when the rest alone is too long.
 */
export function formatFacts(facts: AnnouncedFacts, maxBytes: number): string {
  const { ports } = facts;
  for (let kept = ports.length; ; kept = Math.floor(kept / 2)) {
    const text = textOf({ ...facts, ports: ports.slice(0, kept) });
    if (Buffer.byteLength(text) <= maxBytes) return text;
    if (kept === 0) throw new Error(`the labels of the node need more than ${maxBytes} bytes`);
  }
}

/** `noFacts` for no text. */
export function parseFacts(text: string): AnnouncedFacts {
  if (text === '') return noFacts;
  const value = parseJson(text);
  return {
    id: textMember(value, 'id'),
    labels: textMapMember(value, 'labels'),
    ports: listMember(value, 'ports').flatMap(parsePort),
    diskPercent: Math.max(0, numberMember(value, 'disk')),
    reservedNanoCpus: Math.max(0, numberMember(value, 'cpus')),
    reservedMemoryBytes: Math.max(0, numberMember(value, 'memory')),
  };
}

function textOf({ id, labels, ports, diskPercent, reservedNanoCpus, reservedMemoryBytes }: AnnouncedFacts): string {
  const told = {
    ...(id !== '' && { id }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(ports.length > 0 && { ports: ports.map(portText) }),
    ...(diskPercent > 0 && { disk: diskPercent }),
    ...(reservedNanoCpus > 0 && { cpus: reservedNanoCpus }),
    ...(reservedMemoryBytes > 0 && { memory: reservedMemoryBytes }),
  };
  return Object.keys(told).length === 0 ? '' : JSON.stringify(told);
}

/** "tcp/80", or "tcp/127.0.0.1:80" where only that address is taken. */
function portText({ protocol, ip, port }: TakenPort): string {
  return ip === '' ? `${protocol}/${port}` : `${protocol}/${ip}:${port}`;
}

function parsePort(text: unknown): readonly TakenPort[] {
  const parts = typeof text === 'string' ? /^(tcp|udp)\/(?:(.+):)?(\d{1,5})$/.exec(text) : null;
  if (parts === null) return [];
  const [, protocol, ip = '', port] = parts;
  return [{ protocol: protocol === 'udp' ? 'udp' : 'tcp', ip, port: Number(port) }];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
