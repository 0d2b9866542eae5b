// Finds where an HTTP body ends in a stream of raw bytes, without changing one of them. What comes after the
// end belongs to somebody else, so it must never be counted as body.
import { badRequest } from '../common/errors.ts';
import { headerValue, type RawHeaders } from './raw-head.ts';

export interface BodyBoundary {
  /** Whether the whole body has been seen. */
  isDone(): boolean;
  /** How many leading bytes of `chunk`, which continues what was given before, belong to the body. Throws 400 when the framing is broken. */
  take(chunk: Buffer): number;
}

/** The boundary that the framing headers announce; undefined when they announce none. */
export function announcedBoundary(rawHeaders: RawHeaders): BodyBoundary | undefined {
  if (isChunked(rawHeaders)) return chunkedBoundary();
  const length = headerValue(rawHeaders, 'content-length');
  return length === undefined ? undefined : lengthBoundary(Number(length));
}

export function isChunked(rawHeaders: RawHeaders): boolean {
  return /(^|,)\s*chunked\s*$/i.test(headerValue(rawHeaders, 'transfer-encoding') ?? '');
}

export function lengthBoundary(length: number): BodyBoundary {
  let missing = length;
  return {
    isDone() {
      return missing === 0;
    },
    take(chunk) {
      const taken = Math.min(missing, chunk.length);
      missing -= taken;
      return taken;
    },
  };
}

const maxLineBytes = 16 * 1024;

type ChunkedState = 'size' | 'content' | 'content end' | 'trailer' | 'done';

function chunkedBoundary(): BodyBoundary {
  let state: ChunkedState = 'size';
  let line = '';
  let missing = 0;

  function endLine(): void {
    if (state === 'content end') {
      if (line !== '') throw badRequest('invalid chunked body: a chunk is longer than it says');
      state = 'size';
    } else if (state === 'trailer') {
      if (line === '') state = 'done';
    } else {
      missing = chunkSize(line);
      state = missing === 0 ? 'trailer' : 'content';
    }
    line = '';
  }

  function takeLine(chunk: Buffer, from: number): number {
    const newline = chunk.indexOf(0x0a, from);
    const end = newline === -1 ? chunk.length : newline + 1;
    line += chunk.toString('latin1', from, end);
    if (line.length > maxLineBytes) throw badRequest('invalid chunked body: a line is too long');
    if (newline === -1) return end;
    line = line.replace(/\r?\n$/, '');
    endLine();
    return end;
  }

  function takeContent(chunk: Buffer, from: number): number {
    const taken = Math.min(missing, chunk.length - from);
    missing -= taken;
    if (missing === 0) state = 'content end';
    return from + taken;
  }

  return {
    isDone() {
      return state === 'done';
    },
    take(chunk) {
      let at = 0;
      while (at < chunk.length && state !== 'done') {
        at = state === 'content' ? takeContent(chunk, at) : takeLine(chunk, at);
      }
      return at;
    },
  };
}

function chunkSize(line: string): number {
  const digits = /^([0-9a-f]{1,13})\s*(;.*)?$/i.exec(line)?.[1];
  if (digits === undefined) throw badRequest('invalid chunked body: a chunk has no size');
  return Number.parseInt(digits, 16);
}
