// One engine in etcd: its record, and classicswarm's key for it under a lease for as long as the agent vouches. Both are
// written in one transaction, and only over the very record that was read before: a request that was given up may still be
// carried out, and must not bring back an engine that was withdrawn since.
import { conflict } from '../../src/common/errors.ts';
import type { DiscoveryEntry } from '../backend.ts';
import { jsonMember } from '../json-member.ts';
import { formatRecord, withdrawnRecord } from '../member-record.ts';
import type { EtcdServer } from './gateway.ts';
import { base64, isSucceeded, listOf, parseInt64, parsePosition, type EtcdFolders } from './keys.ts';

/** etcd forgets an engine that nobody has vouched for this long; a manager that knows it keeps it. */
const forgetAfterSeconds = 72 * 60 * 60;
const renewRecordMs = 60 * 60 * 1000;

interface Lease {
  readonly id: string;
  readonly renewedMs: number;
}

/** What etcd is known to hold. */
interface Written {
  readonly alive: boolean;
  readonly facts: string | undefined;
  readonly ttlMs: number;
  /** The revision at which the record was written. */
  readonly revision: bigint;
  readonly record: Lease;
  readonly vouching: Lease;
}

export class EtcdAnnouncement {
  readonly #folders: EtcdFolders;
  readonly #address: string;
  #written: Written | undefined;

  constructor(folders: EtcdFolders, address: string) {
    this.#folders = folders;
    this.#address = address;
  }

  /** Announces the engine anew, or renews what stands there already. */
  async renew(server: EtcdServer, entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    const written = this.#written;
    // Whatever goes wrong on the way, nothing is known any more.
    this.#written = undefined;
    const isSame = written?.alive === entry.alive && written.facts === entry.facts && written.ttlMs === ttlMs;
    const renewed = written && (await this.#renewLeases(server, written, signal));
    if (isSame && renewed && (await this.#stands(server, renewed, signal))) this.#written = renewed;
    else this.#written = await this.#write(server, entry, ttlMs, renewed, signal);
  }

  async withdraw(server: EtcdServer, signal: AbortSignal): Promise<void> {
    const lease = await grant(server, forgetAfterSeconds, signal);
    const record = { key: this.#recordKey, value: base64(withdrawnRecord), lease: lease.id };
    const success = [{ requestPut: record }, { requestDeleteRange: { key: this.#nodeKey } }];
    await server.call({ path: 'kv/txn', body: { compare: [], success } }, signal);
    this.#written = undefined;
  }

  /** Undefined when etcd has let a lease go. */
  async #renewLeases(server: EtcdServer, written: Written, signal: AbortSignal): Promise<Written | undefined> {
    const vouching = await keepAlive(server, written.vouching, signal);
    const isRecordDue = performance.now() - written.record.renewedMs >= renewRecordMs;
    const record = isRecordDue ? await keepAlive(server, written.record, signal) : written.record;
    return vouching && record && { ...written, vouching, record };
  }

  /** False when somebody has wiped or changed the keys. */
  async #stands(server: EtcdServer, written: Written, signal: AbortSignal): Promise<boolean> {
    const recordIsOurs = {
      key: this.#recordKey,
      target: 'MOD',
      result: 'EQUAL',
      mod_revision: written.revision.toString(),
    };
    const nodeIsOurs = { key: this.#nodeKey, target: 'LEASE', result: 'EQUAL', lease: written.vouching.id };
    const compare = [recordIsOurs, ...(written.alive ? [nodeIsOurs] : [])];
    return isSucceeded(await server.call({ path: 'kv/txn', body: { compare } }, signal));
  }

  async #write(
    server: EtcdServer,
    entry: DiscoveryEntry,
    ttlMs: number,
    leases: Written | undefined,
    signal: AbortSignal,
  ): Promise<Written> {
    const seen = await server.call({ path: 'kv/range', body: { key: this.#recordKey } }, signal);
    const [pair] = listOf(jsonMember(seen, 'kvs'));
    const record = leases?.record ?? (await grant(server, forgetAfterSeconds, signal));
    const vouching =
      leases?.ttlMs === ttlMs ? leases.vouching : await grant(server, Math.max(1, Math.ceil(ttlMs / 1000)), signal);
    const unchanged = {
      key: this.#recordKey,
      target: 'MOD',
      result: 'EQUAL',
      mod_revision: parseInt64(jsonMember(pair, 'mod_revision')).toString(),
    };
    const putRecord = { key: this.#recordKey, value: base64(formatRecord(entry.facts)), lease: record.id };
    const node = entry.alive
      ? { requestPut: { key: this.#nodeKey, value: base64(entry.address), lease: vouching.id } }
      : { requestDeleteRange: { key: this.#nodeKey } };
    const body = { compare: [unchanged], success: [{ requestPut: putRecord }, node] };
    const answer = await server.call({ path: 'kv/txn', body }, signal);
    if (!isSucceeded(answer)) throw conflict('the record of the engine has changed in etcd meanwhile');
    const { revision } = parsePosition(answer);
    return { alive: entry.alive, facts: entry.facts, ttlMs, revision, record, vouching };
  }

  get #recordKey(): string {
    return this.#folders.recordKey(this.#address);
  }

  get #nodeKey(): string {
    return this.#folders.nodeKey(this.#address);
  }
}

async function grant(server: EtcdServer, seconds: number, signal: AbortSignal): Promise<Lease> {
  const renewedMs = performance.now();
  const answer = await server.call({ path: 'lease/grant', body: { TTL: String(seconds) } }, signal);
  const id = jsonMember(answer, 'ID');
  if (typeof id !== 'string') throw new Error('etcd granted no lease');
  return { id, renewedMs };
}

/** Undefined when etcd does not know the lease any more. */
async function keepAlive(server: EtcdServer, { id }: Lease, signal: AbortSignal): Promise<Lease | undefined> {
  const renewedMs = performance.now();
  const answer = await server.call({ path: 'lease/keepalive', body: { ID: id } }, signal);
  const ttl = parseInt64(jsonMember(jsonMember(answer, 'result'), 'TTL'));
  return ttl > 0n ? { id, renewedMs } : undefined;
}
