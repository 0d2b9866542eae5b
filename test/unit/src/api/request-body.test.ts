import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'mocha';
import { readFormArguments, readJson, readJsonObject } from '../../../../src/api/request-body.ts';

function request(
  body: string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  req.method = 'POST';
  Object.assign(req.headers, { 'content-length': String(Buffer.byteLength(body)), ...headers });
  req.push(body);
  req.push(null);
  return req;
}

describe('the JSON body of a request', () => {
  const values: readonly (readonly [string, unknown])[] = [
    ['{"a":[1,"}"]}', { a: [1, '}'] }],
    ['null', null],
    [`${'['.repeat(900)}${']'.repeat(900)}`, JSON.parse(`${'['.repeat(900)}${']'.repeat(900)}`)],
    [`{"a":"${'['.repeat(5000)}\\"${'{'.repeat(5000)}"}`, { a: `${'['.repeat(5000)}"${'{'.repeat(5000)}` }],
  ];
  for (const [body, value] of values) {
    it(`is read from ${body.slice(0, 30)}`, async () => {
      assert.deepEqual(await readJson(request(body)), value);
    });
  }

  it('may be absent, without a type too', async () => {
    assert.equal(await readJson(request('', {})), undefined);
  });

  it('may be of JSON with a character set', async () => {
    assert.deepEqual(await readJson(request('{}', { 'content-type': 'Application/JSON; charset=utf-8' })), {});
  });

  const refused: readonly (readonly [string, string, Record<string, string>, object])[] = [
    [
      'cut within a value',
      '{"a":[1',
      { 'content-type': 'application/json' },
      { status: 400, message: 'invalid JSON: unexpected EOF' },
    ],
    ['a broken value', 'nope', { 'content-type': 'application/json' }, { status: 400, message: /^invalid JSON: ./ }],
    [
      'blank',
      ' \n',
      { 'content-type': 'application/json' },
      { status: 400, message: 'invalid JSON: got EOF while reading request body' },
    ],
    [
      'a value too deep',
      '['.repeat(5000),
      { 'content-type': 'application/json' },
      { status: 400, message: /max depth/ },
    ],
    [
      'an unfinished string of escapes',
      `"${'\\"'.repeat(500_000)}`,
      { 'content-type': 'application/json' },
      { status: 400 },
    ],
    [
      'another type',
      '{}',
      { 'content-type': 'text/plain' },
      { status: 400, message: /^unsupported Content-Type header \(text\/plain\)/ },
    ],
    ['no type', '{}', {}, { status: 400, message: /^unsupported Content-Type header \(\)/ }],
    ['a length beyond all reason', '', { 'content-length': '99999999' }, { status: 413 }],
    ['more than it may hold', ' '.repeat(9_000_000), { 'content-type': 'application/json' }, { status: 413 }],
  ];
  for (const [title, body, headers, error] of refused) {
    it(`is refused when it is ${title}`, async () => {
      await assert.rejects(readJson(request(body, headers)), error);
    });
  }

  it('is an empty object where there is none', async () => {
    assert.deepEqual(await readJsonObject(request('', {})), {});
    assert.deepEqual(await readJsonObject(request('')), {});
  });

  for (const body of ['[]', '5', 'true', '"x"']) {
    it(`is refused as an object when it is '${body}'`, async () => {
      await assert.rejects(readJsonObject(request(body)), { status: 400 });
    });
  }
});

describe('arguments in a form', () => {
  it('are read from a POST', async () => {
    const form = request('a=1&b=%20', { 'content-type': 'application/x-www-form-urlencoded' });

    assert.deepEqual(
      [...(await readFormArguments(form))],
      [
        ['a', '1'],
        ['b', ' '],
      ],
    );
  });

  it('are not looked for in other bodies', async () => {
    assert.equal((await readFormArguments(request('a=1', { 'content-type': 'text/plain' }))).size, 0);
  });
});
