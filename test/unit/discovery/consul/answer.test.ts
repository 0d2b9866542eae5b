import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  factsMeta,
  parseClassicNodes,
  parseIndex,
  parseKeys,
  parseServices,
  parseTexts,
} from '../../../../discovery/consul/answer.ts';

const alive = (address: string) => ({ address, alive: true });
const lost = (address: string) => ({ address, alive: false });

describe('facts as metadata of a service', () => {
  for (const { title, facts, pieces } of [
    { title: 'none', facts: '', pieces: 0 },
    { title: 'short ones', facts: '{"labels":{"a":"b"}}', pieces: 1 },
    { title: 'long ones in any alphabet', facts: `{"labels":{"ä":"${'語'.repeat(300)}😀"}}`, pieces: 2 },
  ]) {
    it(`carry ${title} in values that Consul takes, and are read again`, () => {
      const meta = factsMeta(facts);
      assert.equal(Object.keys(meta).length, pieces);
      for (const piece of Object.values(meta)) assert.ok(Buffer.byteLength(piece) <= 512);
      const [entry] = parseServices([{ Service: { Address: '10.0.0.1', Port: 2375, Meta: meta }, Checks: [] }]);
      assert.deepEqual(entry, { address: '10.0.0.1:2375', alive: true, ...(facts === '' ? {} : { facts }) });
    });
  }
});

describe('services as Consul lists them', () => {
  const service = (address: string, port: unknown, ...states: string[]) => ({
    Node: { Node: 'n', Address: '10.9.9.9' },
    Service: { ID: 'x', Service: 'shoal', Address: address, Port: port },
    Checks: states.map((Status) => ({ Status })),
  });
  const cases = [
    {
      title: 'a passing one is alive',
      item: service('10.0.0.1', 2375, 'passing', 'passing'),
      expected: [alive('10.0.0.1:2375')],
    },
    {
      title: 'one with a critical check is not alive',
      item: service('10.0.0.1', 2375, 'passing', 'critical'),
      expected: [lost('10.0.0.1:2375')],
    },
    { title: 'one without an address is at its node', item: service('', 2375), expected: [alive('10.9.9.9:2375')] },
    { title: 'an IPv6 address gets brackets', item: service('fe80::1', 2375), expected: [alive('[fe80::1]:2375')] },
    { title: 'one without a port is left out', item: service('10.0.0.1', 0), expected: [] },
    { title: 'one with a senseless address is left out', item: service('no host', 1), expected: [] },
    { title: 'something else is left out', item: 7, expected: [] },
  ];
  for (const { title, item, expected } of cases) {
    it(title, () => {
      assert.deepEqual(parseServices([item]), expected);
    });
  }

  it('are never taken from an answer that is no list', () => {
    for (const body of [undefined, null, {}, '']) assert.throws(() => parseServices(body), /list of services/);
  });
});

describe('details of Consul answers', () => {
  it('an index that is missing, senseless or 0 starts anew', () => {
    for (const index of [undefined, '', 'x', '-1', '0']) assert.equal(parseIndex({ 'x-consul-index': index }), 0);
    assert.equal(parseIndex(undefined), 0);
    assert.equal(parseIndex({ 'x-consul-index': '42' }), 42);
  });

  it('the keys of a folder are the names under it', () => {
    const pairs = [{ Key: 'p/withdrawn/a:1', Value: 'withdrawn' }, { Key: 'other' }, 3];
    assert.deepEqual(parseKeys(pairs, 'p/withdrawn/'), ['a:1']);
    assert.deepEqual(parseKeys(undefined, 'p/withdrawn/'), []);
  });

  it('the text and version of one key or of many, none of what does not exist', () => {
    const [a, b] = [
      { Key: 'p/a', Value: 'x', ModifyIndex: 7 },
      { Key: 'p/b', Value: null, ModifyIndex: 8 },
    ];
    const [x, empty] = [
      { text: 'x', version: 7 },
      { text: '', version: 8 },
    ];
    assert.deepEqual(parseTexts(a), new Map([['p/a', x]]));
    assert.deepEqual(
      parseTexts([a, b, 3]),
      new Map([
        ['p/a', x],
        ['p/b', empty],
      ]),
    );
    assert.deepEqual(parseTexts(undefined), new Map());
  });

  it("the engines of classicswarm's agents are the keys that are addresses", () => {
    const folder = 'p/docker/swarm/nodes/';
    const pairs = ['10.0.0.2:2375', 'no address', ''].map((name) => ({ Key: `${folder}${name}` }));
    assert.deepEqual(parseClassicNodes(pairs, folder), [alive('10.0.0.2:2375')]);
  });
});
