import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { AnswerParser } from '../../../../src/engine/answer-parser.ts';
import type { RawAnswer } from '../../../../src/engine/answer-parser.ts';

type TextAnswer = Omit<RawAnswer, 'body'> & { readonly body: string };

/** What the parser makes of `text` when it comes in pieces of `size` bytes; the pieces are overwritten as soon as it has them. */
function parsed(text: string, size: number, parser = new AnswerParser()): TextAnswer[] {
  const bytes = Buffer.from(text);
  const space = Buffer.alloc(size);
  const answers: TextAnswer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(space, 0, at, at + size);
    parser.push(space.subarray(0, length), (answer) => answers.push(toText(answer)));
    space.fill(0);
  }
  return answers;
}

function toText(answer: RawAnswer): TextAnswer {
  return { ...answer, body: answer.body.toString('utf8') };
}

const sizes = [1, 2, 7, 4096];

describe('the parser of answers', () => {
  for (const { title, text, expected } of [
    {
      title: 'a body of known length',
      text: 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"ä":1}\n',
      expected: { status: 200, body: '{"ä":1}\n', keepsAlive: true },
    },
    {
      title: 'a body in chunks, with extensions and trailers',
      text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\nab\r\n\r\n3\r\ncde\r\n0\r\nTail: 1\r\n\r\n',
      expected: { status: 200, body: 'ab\r\ncde', keepsAlive: true },
    },
    {
      title: 'no body at all',
      text: 'HTTP/1.1 204 No Content\r\n\r\n',
      expected: { status: 204, body: '', keepsAlive: true },
    },
    {
      title: 'an empty body',
      text: 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
      expected: { status: 404, body: '', keepsAlive: true },
    },
    {
      title: 'an answer behind one that only announces it',
      text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK',
      expected: { status: 200, body: 'OK', keepsAlive: true },
    },
    {
      title: 'an answer after which the connection is closed',
      text: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK',
      expected: { status: 200, body: 'OK', keepsAlive: false },
    },
    {
      title: 'an answer of HTTP/1.0, which is closed unless it says otherwise',
      text: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK',
      expected: { status: 200, body: 'OK', keepsAlive: false },
    },
  ]) {
    for (const size of sizes) {
      it(`reads ${title} from pieces of ${size} bytes`, () => {
        const answers = parsed(text, size);
        assert.deepEqual(
          answers.map(({ status, body, keepsAlive }) => ({ status, body, keepsAlive })),
          [expected],
        );
      });
    }
  }

  for (const size of [...sizes, 60]) {
    it(`tells many answers apart that come behind one another in pieces of ${size} bytes`, () => {
      const parser = new AnswerParser();
      const one = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\none';
      const two = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n';
      const three = 'HTTP/1.1 204 No Content\r\n\r\n';
      assert.deepEqual(
        parsed(`${one}${two}${three}${one}`, size, parser).map(({ body, contentType }) => [body, contentType]),
        [
          ['one', 'text/plain'],
          ['two', ''],
          ['', ''],
          ['one', 'text/plain'],
        ],
      );
      assert.equal(parser.isWithinAnswer, false);
    });
  }

  it('takes a body without a length to its end with the connection', () => {
    const parser = new AnswerParser();
    assert.deepEqual(parsed('HTTP/1.1 200 OK\r\n\r\nto the end', 3, parser), []);
    const answer = parser.end();
    assert.equal(answer?.body.toString(), 'to the end');
    assert.equal(answer.keepsAlive, false);
  });

  it('has no answer when the connection ends before the body does', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Le',
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
    ]) {
      const parser = new AnswerParser();
      assert.deepEqual(parsed(text, 4096, parser), []);
      assert.equal(parser.end(), undefined);
    }
  });

  for (const { title, text } of [
    { title: 'what is not HTTP', text: 'SSH-2.0-OpenSSH\r\n\r\n' },
    { title: 'a length that is no number', text: 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n' },
    { title: 'a length that no answer has', text: 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n' },
    { title: 'a chunk without a size', text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n' },
    { title: 'a head without an end', text: `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(60_000)}` },
    { title: 'more than was announced', text: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab\r\n\r\n' },
  ]) {
    it(`refuses ${title}`, () => {
      assert.throws(() => parsed(text, 512 * 1024));
    });
  }
});
