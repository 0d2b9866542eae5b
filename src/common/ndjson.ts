// Newline-delimited JSON, as Docker's event and progress streams carry it. Lines may end in \n or \r\n,
// and a JSON sequence's record separator (0x1E) in front of a line is skipped.

/** In front of each value of a JSON sequence (RFC 7464). */
const recordSeparator = '\u001e';

/** A line longer than this is not a Docker message; the stream is given up rather than buffered without end. */
const maxLineBytes = 16 * 1024 * 1024;

/** Cuts chunks of bytes into the lines that are not empty. */
class LineCutter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** The lines that end within `chunk`, in order. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.#keep(chunk.subarray(start, end));
      lines.push(...this.flush());
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The last line, when it has no line end; nothing when there is none. */
  flush(): string[] {
    const line = Buffer.concat(this.#rest).toString('utf8').replace(recordSeparator, '').trim();
    this.#rest = [];
    this.#restBytes = 0;
    return line === '' ? [] : [line];
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#restBytes += bytes.length;
    if (this.#restBytes > maxLineBytes) throw new Error(`a line of more than ${maxLineBytes} bytes in a JSON stream`);
    this.#rest.push(bytes);
  }
}

/** Cuts chunks of bytes into the parsed JSON values that their lines hold. Throws on a line that is not JSON. */
export class NdjsonParser {
  readonly #lines = new LineCutter();

  /** The values whose lines end within `chunk`, in order. */
  push(chunk: Buffer): unknown[] {
    return this.#lines.push(chunk).map(parseLine);
  }

  /** The value of a last line without a line end; nothing when there is none. */
  flush(): unknown[] {
    return this.#lines.flush().map(parseLine);
  }
}

/** The lines of a byte stream as text, for those to whom parsing would lose something. */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const lines = new LineCutter();
  for await (const chunk of stream) yield* lines.push(chunk);
  yield* lines.flush();
}

/** The JSON values of a byte stream, one a line. Throws on a line that is not JSON. */
export async function* readNdjson(stream: AsyncIterable<Buffer>): AsyncGenerator {
  for await (const line of readLines(stream)) yield parseLine(line);
}

function parseLine(line: string): unknown {
  return JSON.parse(line);
}
