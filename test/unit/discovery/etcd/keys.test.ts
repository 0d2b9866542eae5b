import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { base64, EtcdFolders, EtcdKeys, parsePosition } from '../../../../discovery/etcd/keys.ts';

const folders = new EtcdFolders('p/docker/swarm/nodes');
const header = { cluster_id: '42', revision: '7' };
const record = (address: string, text: string) => ({ key: folders.recordKey(address), value: base64(text) });
const node = (address: string) => ({ key: folders.nodeKey(address), value: base64(address) });

describe('the keys of etcd', () => {
  it('are read in one range, which holds both folders and no other', () => {
    const [first = '', last = ''] = Object.values(folders.range).map((key) => Buffer.from(key, 'base64').toString());
    for (const key of ['p/docker/swarm/nodes/a:1', 'p/docker/swarm/nodes-members/a:1']) {
      assert.ok(first <= key && key < last, key);
    }
    for (const key of ['p/docker/swarm/leader', 'p/docker/swarm/nodes0', 'p/other']) {
      assert.ok(key < first || key >= last, key);
    }
  });

  it('become members, and follow the events of a watch', () => {
    const keys = new EtcdKeys(folders, { header, kvs: [node('a:1'), record('a:1', '{"facts":"x"}')] });
    assert.deepEqual(keys.view.announced, [{ address: 'a:1', alive: true, facts: 'x' }]);

    assert.ok(keys.apply({ result: { events: [{ type: 'DELETE', kv: node('a:1') }, { kv: node('b:1') }] } }));
    assert.deepEqual(keys.view.announced, [
      { address: 'b:1', alive: true },
      { address: 'a:1', alive: false, facts: 'x' },
    ]);
    assert.ok(!keys.apply({ result: { header, created: true } }));
  });

  it('are none where the answer is no range, and at the end of a watch', () => {
    assert.throws(() => new EtcdKeys(folders, {}), /something else than a range/);
    const keys = new EtcdKeys(folders, { header });
    assert.throws(() => keys.apply({ result: { canceled: true, compact_revision: '9' } }), /ended the watch/);
    assert.throws(() => keys.apply({ error: { message: 'gone' } }), /ended the watch/);
  });

  it('are at a position of 64 bits', () => {
    const answer = { header: { cluster_id: '1', revision: '9007199254740993' } };
    assert.equal(parsePosition(answer).revision, 9007199254740993n);
  });
});
