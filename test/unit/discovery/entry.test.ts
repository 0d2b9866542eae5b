import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  expandRanges,
  formatHostPort,
  parseAddress,
  parseAddressList,
  parseHostPort,
  sameMembership,
  sortMembership,
} from '../../../discovery/entry.ts';
import { ApiError } from '../../../src/common/errors.ts';

function isOneLineRefusal(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ApiError && error.status === 400 && !error.message.includes('\n') && pattern.test(error.message);
}

describe('addresses of engines', () => {
  const good = [
    { title: 'an IPv4 address', input: '10.0.0.1:2375', expected: { host: '10.0.0.1', port: 2375 } },
    { title: 'a name', input: 'node-1.example.com:2375', expected: { host: 'node-1.example.com', port: 2375 } },
    {
      title: 'a name with an underscore',
      input: 'compose_engine_1:2375',
      expected: { host: 'compose_engine_1', port: 2375 },
    },
    { title: 'capital letters', input: 'Node-1:2375', expected: { host: 'node-1', port: 2375 } },
    { title: 'an IPv6 address', input: '[fe80::1]:2375', expected: { host: 'fe80::1', port: 2375 } },
    { title: 'a long IPv6 address', input: '[FE80:0:0:0:0:0:0:1]:2375', expected: { host: 'fe80::1', port: 2375 } },
    { title: 'an IPv6 zone', input: '[fe80::1%eth0]:2375', expected: { host: 'fe80::1%eth0', port: 2375 } },
    { title: 'blanks around', input: ' a:1 ', expected: { host: 'a', port: 1 } },
    { title: 'the last port', input: 'a:65535', expected: { host: 'a', port: 65_535 } },
  ];
  for (const { title, input, expected } of good) {
    it(`reads ${title}`, () => {
      assert.deepEqual(parseHostPort(input), expected);
    });
  }

  const bad = [
    { title: 'no port', input: '10.0.0.1', pattern: /expected HOST:PORT/ },
    { title: 'an empty port', input: '10.0.0.1:', pattern: /expected HOST:PORT/ },
    { title: 'a port that is no number', input: 'a:http', pattern: /expected HOST:PORT/ },
    { title: 'port 0', input: 'a:0', pattern: /between 1 and 65535/ },
    { title: 'a port that is too high', input: 'a:65536', pattern: /between 1 and 65535/ },
    { title: 'no host', input: ':2375', pattern: /no such host name/ },
    { title: 'a wrong IPv4 address', input: '10.0.0.300:2375', pattern: /no such host name or IP/ },
    { title: 'an IPv6 address without brackets', input: 'fe80::1:2375', pattern: /\[IPV6\]:PORT/ },
    { title: 'brackets around a name', input: '[node]:2375', pattern: /no such host name/ },
    { title: 'a scheme', input: 'tcp://10.0.0.1:2375', pattern: /expected HOST:PORT/ },
    { title: 'a path', input: 'a/b:2375', pattern: /no such host name/ },
    { title: 'a line break', input: 'a\nb:2375', pattern: /no such host name/ },
  ];
  for (const { title, input, pattern } of bad) {
    it(`refuses ${title} in one line`, () => {
      assert.throws(() => parseHostPort(input), isOneLineRefusal(pattern));
    });
  }

  it('writes an IPv6 host in brackets', () => {
    assert.equal(formatHostPort({ host: 'fe80::1', port: 1 }), '[fe80::1]:1');
    assert.equal(formatHostPort({ host: '10.0.0.1', port: 1 }), '10.0.0.1:1');
  });

  it('gives two spellings of an address one form', () => {
    assert.equal(parseAddress('[0:0:0:0:0:0:0:1]:02375'), parseAddress('[::1]:2375'));
  });
});

describe('ranges of addresses', () => {
  const cases = [
    { input: '10.0.0.[1:3]:2375', expected: ['10.0.0.1:2375', '10.0.0.2:2375', '10.0.0.3:2375'] },
    { input: '10.0.0.[7:7]:2375', expected: ['10.0.0.7:2375'] },
    { input: 'node-[9:11]:2375', expected: ['node-9:2375', 'node-10:2375', 'node-11:2375'] },
    { input: '10.0.[1:2].[3:4]:1', expected: ['10.0.1.3:1', '10.0.1.4:1', '10.0.2.3:1', '10.0.2.4:1'] },
    { input: '10.0.0.1:237[5:6]', expected: ['10.0.0.1:2375', '10.0.0.1:2376'] },
    { input: '[fe80::1]:2375', expected: ['[fe80::1]:2375'] },
  ];
  for (const { input, expected } of cases) {
    it(`expands ${input}`, () => {
      assert.deepEqual(expandRanges(input), expected);
    });
  }

  it('refuses a range that runs backwards', () => {
    assert.throws(() => expandRanges('10.0.0.[5:1]:2375'), isOneLineRefusal(/5 is greater than 1/));
  });

  it('refuses a range of millions without building it', () => {
    assert.throws(() => expandRanges('[1:999999999].0.0.1:1'), isOneLineRefusal(/more than 65536/));
    assert.throws(() => expandRanges('a-[1:65000]-[1:65000]:1'), isOneLineRefusal(/more than 65536/));
  });

  it('refuses an address that a range makes wrong', () => {
    assert.throws(() => parseAddressList('10.0.0.[250:260]:2375'), isOneLineRefusal(/10\.0\.0\.256:2375/));
  });
});

describe('lists of addresses', () => {
  it('are split at commas, each address once, in the order written', () => {
    assert.deepEqual(parseAddressList('b:1, a:[1:2],,b:1'), ['b:1', 'a:1', 'a:2']);
  });

  it('are refused when empty', () => {
    for (const text of ['', ' , ']) assert.throws(() => parseAddressList(text), isOneLineRefusal(/empty/));
  });
});

describe('sets of members', () => {
  it('are sorted by address and hold each once, alive when any entry is', () => {
    const sorted = sortMembership([
      { address: 'b:1', alive: false },
      { address: 'a:1', alive: true },
      { address: 'b:1', alive: true },
      { address: 'a:1', alive: false },
    ]);

    assert.deepEqual(sorted, [
      { address: 'a:1', alive: true },
      { address: 'b:1', alive: true },
    ]);
  });

  it('are the same only when every address and every state is', () => {
    const set = [
      { address: 'a:1', alive: true },
      { address: 'b:1', alive: false },
    ];

    assert.equal(sameMembership(set, structuredClone(set)), true);
    assert.equal(sameMembership(set, set.slice(1)), false);
    assert.equal(
      sameMembership(set, [
        { address: 'a:1', alive: true },
        { address: 'b:1', alive: true },
      ]),
      false,
    );
    assert.equal(
      sameMembership(set, [
        { address: 'a:1', alive: true },
        { address: 'c:1', alive: false },
      ]),
      false,
    );
  });
});
