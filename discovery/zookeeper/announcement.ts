// One engine in ZooKeeper: its record, and classicswarm's node for it, which lives as long as the agent's session. The
// record is written only over the very one that was read before: a request that was given up may still be carried out,
// and must not bring back an engine that was withdrawn since.
import type { DiscoveryEntry } from '../backend.ts';
import { formatRecord, recordsFolder, withdrawnRecord } from '../member-record.ts';
import { unless, type ZooKeeperSession } from './session.ts';
import { refusal } from './wire.ts';

/** What ZooKeeper is known to hold. */
interface Written {
  readonly alive: boolean;
  readonly facts: string | undefined;
  readonly changedAt: bigint;
}

export class ZooKeeperAnnouncement {
  readonly #session: ZooKeeperSession;
  readonly #folder: string;
  readonly #node: string;
  readonly #record: string;
  #written: Written | undefined;

  /** `folder` is that of classicswarm's nodes. */
  constructor(session: ZooKeeperSession, folder: string, address: string) {
    this.#session = session;
    this.#folder = folder;
    this.#node = `${folder}/${address}`;
    this.#record = `${recordsFolder(folder)}/${address}`;
  }

  /** Announces the engine anew where what stands there is something else. */
  async renew({ address, alive, facts }: DiscoveryEntry): Promise<void> {
    if (await this.#stands(alive, facts)) return;
    this.#written = undefined;
    const changedAt = await this.#writeRecord(formatRecord(facts));
    if (alive) await this.#vouch(address);
    else await this.#removeNode();
    this.#written = { alive, facts, changedAt };
  }

  async withdraw(): Promise<void> {
    this.#written = undefined;
    await this.#writeRecord(withdrawnRecord);
    await this.#removeNode();
  }

  /** False too when somebody has wiped or changed the nodes. */
  async #stands(alive: boolean, facts: string | undefined): Promise<boolean> {
    const written = this.#written;
    if (written?.alive !== alive || written.facts !== facts) return false;
    const [record, node] = await Promise.all([this.#session.stat(this.#record), this.#session.stat(this.#node)]);
    return record?.changedAt === written.changedAt && (!alive || node?.owner === this.#session.id);
  }

  async #writeRecord(content: string): Promise<bigint> {
    const seen = await this.#session.stat(this.#record);
    if (seen) return (await this.#session.write(this.#record, content, seen.version)).changedAt;
    for (const folder of [this.#folder, recordsFolder(this.#folder)]) await this.#session.createFolder(folder);
    await this.#session.create(this.#record, content, 'persistent');
    return (await this.#session.stat(this.#record))?.changedAt ?? 0n;
  }

  /** A node of an earlier session would end with that. */
  async #vouch(address: string): Promise<void> {
    const seen = await this.#session.stat(this.#node);
    if (seen?.owner === this.#session.id) return;
    if (seen) await this.#removeNode();
    await this.#session.create(this.#node, address, 'ephemeral');
  }

  async #removeNode(): Promise<void> {
    await unless(refusal.noNode, this.#session.remove(this.#node));
  }
}
