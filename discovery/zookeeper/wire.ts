// ZooKeeper's encoding (jute) of the few messages that are needed: numbers in network order, texts and bytes after their
// length. Pure.

export const operation = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  ping: 11,
  auth: 100,
  closeSession: -11,
} as const;

/** Numbers of messages that answer no request of ours. */
export const reserved = { event: -1, ping: -2, auth: -4 } as const;

export const refusal = { noNode: -101, badVersion: -103, nodeExists: -110 } as const;

/** A refusal of ZooKeeper's, by its number. */
export class ZooKeeperError extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`zookeeper refuses with error ${code}`);
    this.name = 'ZooKeeperError';
    this.code = code;
  }
}

export interface ReplyHeader {
  /** Of the request that is answered, or one of `reserved`. */
  readonly number: number;
  /** 0 for a success. */
  readonly error: number;
}

/** What is known of a node beside its content. */
export interface NodeStat {
  /** Changes with each change of the content. */
  readonly changedAt: bigint;
  readonly version: number;
  /** The session with which the node ends; 0 for one that stays. */
  readonly owner: bigint;
  /** Changes with each child that comes or goes. */
  readonly childrenChangedAt: bigint;
}

/** Puts a message together. */
export class WireWriter {
  readonly #parts: Buffer[] = [];

  int32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.#add(bytes);
  }

  int64(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return this.#add(bytes);
  }

  flag(value: 'yes' | 'no'): this {
    return this.#add(Buffer.from([value === 'yes' ? 1 : 0]));
  }

  bytes(value: Buffer): this {
    return this.int32(value.length).#add(value);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  /** The message with its length in front. */
  frame(): Buffer {
    const body = Buffer.concat(this.#parts);
    return Buffer.concat([new WireWriter().int32(body.length).#parts[0] ?? Buffer.alloc(0), body]);
  }

  #add(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }
}

/** Takes a message apart. Throws where it ends too early. */
export class WireReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int32(): number {
    return this.#take(4).readInt32BE();
  }

  int64(): bigint {
    return this.#take(8).readBigInt64BE();
  }

  /** Absent bytes are empty ones. */
  bytes(): Buffer {
    return this.#take(Math.max(0, this.int32()));
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  texts(): readonly string[] {
    return Array.from({ length: Math.max(0, this.int32()) }, () => this.text());
  }

  replyHeader(): ReplyHeader {
    const number = this.int32();
    this.int64();
    return { number, error: this.int32() };
  }

  stat(): NodeStat {
    this.int64();
    const changedAt = this.int64();
    this.#take(16);
    const version = this.int32();
    this.#take(8);
    const owner = this.int64();
    this.#take(8);
    return { changedAt, version, owner, childrenChangedAt: this.int64() };
  }

  #take(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new Error('a message of zookeeper ends too early');
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}

const maxFrameBytes = 16 * 1024 * 1024;

/** Cuts chunks of bytes into messages. */
export class FrameCutter {
  #rest = Buffer.alloc(0);

  /** The messages that end within `chunk`, in order, without their lengths. Throws at one of a senseless length. */
  push(chunk: Buffer): readonly Buffer[] {
    const frames: Buffer[] = [];
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readInt32BE();
      if (length < 0 || length > maxFrameBytes) throw new Error('zookeeper sent a message of a senseless length');
      if (rest.length < 4 + length) break;
      frames.push(rest.subarray(4, 4 + length));
      rest = rest.subarray(4 + length);
    }
    this.#rest = Buffer.from(rest);
    return frames;
  }
}
