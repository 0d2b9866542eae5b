// Cuts the bytes of a connection into the answers to the requests that were written to it, in their order: head, then
// a body of known length, in chunks, or up to the end of the connection.

export interface RawAnswer {
  readonly status: number;
  /** '' where the answer names none. */
  readonly contentType: string;
  /** Of the answer to a ping: what the engine tells of its part in swarm mode; '' from engines before API 1.42. */
  readonly swarm: string;
  /** Good until control returns to the parser, which reads on in the same place. */
  readonly body: Buffer;
  /** Whether the connection can carry another answer. */
  readonly keepsAlive: boolean;
}

/** Thrown for bytes that are no HTTP/1 answer, or too many of them. */
export class MalformedHttp extends Error {
  constructor(what: string) {
    super(`the engine's answer is not HTTP: ${what}`);
    this.name = 'MalformedHttp';
  }
}

type Part = 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'rest' | 'done';

interface Head {
  readonly status: number;
  readonly contentType: string;
  readonly swarm: string;
  readonly keepsAlive: boolean;
  readonly isChunked: boolean;
  /** undefined: not told. */
  readonly length: string | undefined;
}

const maxHeadBytes = 256 * 1024;
const maxBodyBytes = 64 * 1024 * 1024;
const nothing: Buffer = Buffer.alloc(0);

export class AnswerParser {
  #part: Part = 'head';
  #held = nothing;
  #head: Head | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  /** Of the body or of the current chunk. */
  #missingBytes = 0;

  /**
   * Gives `take` each answer whose last byte has come. `bytes` may be overwritten afterwards. Throws on what no server
   * may send; the connection is of no use then.
   */
  push(bytes: Buffer, take: (answer: RawAnswer) => void): void {
    let partsBefore = this.#body.length;
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      while (this.#step());
      if (this.#part !== 'done') break;
      take(this.#finish());
      partsBefore = 0;
      if (this.#held.length === 0) return;
    }
    this.#held = Buffer.from(this.#held);
    for (let part = partsBefore; part < this.#body.length; part++)
      this.#body[part] = Buffer.from(this.#body[part] ?? nothing);
  }

  /** The connection ended: the answer when that is how its body ends, else undefined. */
  end(): RawAnswer | undefined {
    return this.#part === 'rest' ? this.#finish() : undefined;
  }

  /** True when the beginning of an answer has come and its end has not. */
  get isWithinAnswer(): boolean {
    return this.#part !== 'head' || this.#held.length > 0;
  }

  /** True when something was used up and there may be more to do. */
  #step(): boolean {
    switch (this.#part) {
      case 'head':
        return this.#readHead();
      case 'length':
        this.#takeBody();
        if (this.#missingBytes === 0) this.#part = 'done';
        return false;
      case 'chunk size':
        return this.#readChunkSize();
      case 'chunk':
        this.#takeBody();
        if (this.#missingBytes > 0) return false;
        this.#part = 'chunk end';
        return true;
      case 'chunk end':
        if (this.#takeLine() === undefined) return false;
        this.#part = 'chunk size';
        return true;
      case 'trailer': {
        const line = this.#takeLine();
        if (line === '') this.#part = 'done';
        return line !== undefined && line !== '';
      }
      case 'rest':
        this.#missingBytes = this.#held.length;
        this.#takeBody();
        return false;
      case 'done':
        return false;
    }
  }

  #readHead(): boolean {
    const end = this.#held.indexOf('\r\n\r\n');
    if (end > maxHeadBytes || (end === -1 && this.#held.length > maxHeadBytes)) throw new MalformedHttp('a long head');
    if (end === -1) return false;
    const head = parseHead(this.#held.toString('latin1', 0, end));
    this.#held = this.#held.subarray(end + 4);
    // Answers such as "100 Continue" only announce the one that counts.
    if (head.status < 200) return true;
    this.#head = head;
    this.#expectBody(head);
    return true;
  }

  #expectBody({ status, isChunked, length }: Head): void {
    if (status === 204 || status === 304) this.#part = 'done';
    else if (isChunked) this.#part = 'chunk size';
    else if (length === undefined) this.#part = 'rest';
    else {
      this.#missingBytes = parseSize(length, 10);
      this.#part = this.#missingBytes === 0 ? 'done' : 'length';
    }
  }

  #readChunkSize(): boolean {
    const line = this.#takeLine();
    if (line === undefined) return false;
    this.#missingBytes = parseSize(line.split(';', 1)[0]?.trim() ?? '', 16);
    this.#part = this.#missingBytes === 0 ? 'trailer' : 'chunk';
    return true;
  }

  /** Without its end; undefined while that has not come. */
  #takeLine(): string | undefined {
    const end = this.#held.indexOf('\r\n');
    if (end === -1) {
      if (this.#held.length > maxHeadBytes) throw new MalformedHttp('a long line');
      return undefined;
    }
    const line = this.#held.toString('latin1', 0, end);
    this.#held = this.#held.subarray(end + 2);
    return line;
  }

  #takeBody(): void {
    const taken = this.#held.subarray(0, this.#missingBytes);
    if (taken.length === 0) return;
    this.#bodyBytes += taken.length;
    if (this.#bodyBytes > maxBodyBytes) throw new MalformedHttp(`a body of more than ${maxBodyBytes} bytes`);
    this.#body.push(taken);
    this.#missingBytes -= taken.length;
    this.#held = this.#held.subarray(taken.length);
  }

  /** The answer; the parser is ready for the next one. */
  #finish(): RawAnswer {
    const head = this.#head;
    if (head === undefined) throw new MalformedHttp('a body without a head');
    const [only = nothing] = this.#body;
    const answer = {
      status: head.status,
      contentType: head.contentType,
      swarm: head.swarm,
      body: this.#body.length <= 1 ? only : Buffer.concat(this.#body),
      keepsAlive: head.keepsAlive && this.#part === 'done',
    };
    this.#part = 'head';
    this.#head = undefined;
    this.#body = [];
    this.#bodyBytes = 0;
    return answer;
  }
}

function parseHead(text: string): Head {
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(text) ?? [];
  if (minor === undefined) throw new MalformedHttp(text.slice(0, 80));
  const connection = headerOf(text, connectionHeader)?.toLowerCase() ?? '';
  return {
    status: Number(status),
    contentType: headerOf(text, contentTypeHeader) ?? '',
    swarm: headerOf(text, swarmHeader) ?? '',
    keepsAlive: minor === '1' ? !connection.includes('close') : connection.includes('keep-alive'),
    isChunked: headerOf(text, transferEncodingHeader)?.toLowerCase().includes('chunked') === true,
    length: headerOf(text, contentLengthHeader),
  };
}

// Five of some ten headers are of use, so these are looked for and the others never cut out.
const connectionHeader = /\r\nconnection:([^\r]*)/i;
const contentTypeHeader = /\r\ncontent-type:([^\r]*)/i;
const swarmHeader = /\r\nswarm:([^\r]*)/i;
const transferEncodingHeader = /\r\ntransfer-encoding:([^\r]*)/i;
const contentLengthHeader = /\r\ncontent-length:([^\r]*)/i;

function headerOf(head: string, header: RegExp): string | undefined {
  return header.exec(head)?.[1]?.trim();
}

function parseSize(text: string, radix: 10 | 16): number {
  const size = (radix === 10 ? /^\d+$/ : /^[\da-f]+$/i).test(text) ? Number.parseInt(text, radix) : Number.NaN;
  if (size <= maxBodyBytes) return size;
  throw new MalformedHttp(`a length of "${text.slice(0, 40)}"`);
}
