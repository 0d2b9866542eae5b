import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { announcedBoundary } from '../../../../src/proxy/body-boundary.ts';

const chunked = ['Transfer-Encoding', 'chunked'];

const cases: { title: string; headers: string[]; body: string }[] = [
  { title: 'of a known length', headers: ['content-length', '5'], body: 'hello' },
  { title: 'of no bytes', headers: ['Content-Length', '0'], body: '' },
  { title: 'in chunks', headers: chunked, body: '5\r\nhello\r\n1;note=x\r\n!\r\n0\r\n\r\n' },
  { title: 'in chunks that hold line ends', headers: chunked, body: 'A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n' },
  { title: 'in chunks without content', headers: chunked, body: '0\r\n\r\n' },
  { title: 'in chunks with trailers', headers: chunked, body: '2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n' },
  {
    title: 'in chunks, whatever the length says',
    headers: ['Content-Length', '3', ...chunked],
    body: '4\r\nabcd\r\n0\r\n\r\n',
  },
];

describe('body boundary', () => {
  for (const { title, headers, body } of cases) {
    it(`finds the end of a body ${title} when all comes at once`, () => {
      const boundary = announcedBoundary(headers);
      assert.ok(boundary);
      assert.equal(boundary.take(Buffer.from(`${body}stdin`)), body.length);
      assert.equal(boundary.isDone(), true);
      assert.equal(boundary.take(Buffer.from('more')), 0);
    });

    it(`finds the end of a body ${title} when it comes byte by byte`, () => {
      const boundary = announcedBoundary(headers);
      assert.ok(boundary);
      const taken = [...Buffer.from(`${body}stdin`)].map((byte) => boundary.take(Buffer.from([byte])));
      assert.equal(
        taken.reduce((sum, length) => sum + length, 0),
        body.length,
      );
      assert.equal(boundary.isDone(), true);
    });
  }

  it('is not done before the last byte', () => {
    const boundary = announcedBoundary(chunked);
    assert.ok(boundary);
    boundary.take(Buffer.from('2\r\nok\r\n0\r\n\r'));
    assert.equal(boundary.isDone(), false);
  });

  it('announces nothing without framing headers', () => {
    assert.equal(announcedBoundary(['Content-Type', 'text/plain']), undefined);
  });

  const broken: { title: string; body: string }[] = [
    { title: 'a size that is no number', body: 'zz\r\n' },
    { title: 'a chunk longer than its size', body: '1\r\nab\r\n' },
    { title: 'a size that is absurd', body: `${'f'.repeat(20)}\r\n` },
    { title: 'a line without end', body: '1;'.padEnd(20_000, 'x') },
  ];
  for (const { title, body } of broken) {
    it(`refuses ${title} with 400`, () => {
      assert.throws(() => announcedBoundary(chunked)?.take(Buffer.from(body)), { status: 400 });
    });
  }
});
