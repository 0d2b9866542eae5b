// The keys of the membership in etcd and what its answers say of them. Pure. Keys, values and numbers of 64 bits travel
// as text: the first two in base64.
import { jsonMember } from '../json-member.ts';
import { recordsFolder, viewOfKeys } from '../member-record.ts';
import type { StoreView } from '../store-view.ts';

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Where classicswarm's keys and the records beside them are. */
export class EtcdFolders {
  readonly #nodes: string;
  readonly #records: string;

  constructor(nodesFolder: string) {
    this.#nodes = `${nodesFolder}/`;
    this.#records = `${recordsFolder(nodesFolder)}/`;
  }

  /** The range from the first record to the last node: "-" comes before "/", so that nothing else is read with them. */
  get range(): { readonly key: string; readonly range_end: string } {
    return { key: base64(this.#records), range_end: base64(`${this.#nodes.slice(0, -1)}0`) };
  }

  nodeKey(address: string): string {
    return base64(`${this.#nodes}${address}`);
  }

  recordKey(address: string): string {
    return base64(`${this.#records}${address}`);
  }

  /** The name under one of the folders; undefined for a key of neither. */
  nameOf(key: string): { readonly folder: 'nodes' | 'records'; readonly name: string } | undefined {
    if (key.startsWith(this.#nodes)) return { folder: 'nodes', name: key.slice(this.#nodes.length) };
    if (key.startsWith(this.#records)) return { folder: 'records', name: key.slice(this.#records.length) };
    return undefined;
  }
}

/** The keys of one range as an answer gave them, kept up to date by the events of a watch. */
export class EtcdKeys {
  readonly #folders: EtcdFolders;
  readonly #live = new Set<string>();
  readonly #records = new Map<string, string>();

  /** Throws when the answer is none to a range. */
  constructor(folders: EtcdFolders, answer: unknown) {
    this.#folders = folders;
    parsePosition(answer);
    for (const pair of listOf(jsonMember(answer, 'kvs'))) this.#set(pair);
  }

  get view(): StoreView {
    return viewOfKeys(this.#live, this.#records);
  }

  /** Takes in one message of a watch; true when it changed a key. Throws when the watch is over. */
  apply(message: unknown): boolean {
    const events = eventsOf(message);
    for (const event of events) {
      if (jsonMember(event, 'type') === 'DELETE') this.#delete(jsonMember(event, 'kv'));
      else this.#set(jsonMember(event, 'kv'));
    }
    return events.length > 0;
  }

  #set(pair: unknown): void {
    const place = this.#folders.nameOf(textOf(jsonMember(pair, 'key')));
    if (place?.folder === 'nodes') this.#live.add(place.name);
    if (place?.folder === 'records') this.#records.set(place.name, textOf(jsonMember(pair, 'value')));
  }

  #delete(pair: unknown): void {
    const place = this.#folders.nameOf(textOf(jsonMember(pair, 'key')));
    if (place?.folder === 'nodes') this.#live.delete(place.name);
    if (place?.folder === 'records') this.#records.delete(place.name);
  }
}

/** Which cluster gave an answer, and how far it had come. */
export interface EtcdPosition {
  readonly clusterId: string;
  readonly revision: bigint;
}

/** Throws when `answer` has no header. */
export function parsePosition(answer: unknown): EtcdPosition {
  const header = jsonMember(answer, 'header');
  const clusterId = jsonMember(header, 'cluster_id');
  const revision = parseInt64(jsonMember(header, 'revision'));
  if (typeof clusterId !== 'string' || revision === 0n) throw new Error('etcd answered something else than a range');
  return { clusterId, revision };
}

/** What a message of a watch tells. Throws when the watch is over. */
export function eventsOf(message: unknown): readonly unknown[] {
  const result = jsonMember(message, 'result');
  if (result === undefined || jsonMember(result, 'canceled') === true) throw new Error('etcd ended the watch');
  return listOf(jsonMember(result, 'events'));
}

/** Whether a transaction found what it compared with. */
export function isSucceeded(answer: unknown): boolean {
  return jsonMember(answer, 'succeeded') === true;
}

/** Left out of an answer, it is 0. */
export function parseInt64(value: unknown): bigint {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : 0n;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
}
