import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { asBridge, asOverlay, maySpanNodes } from '../../../../../src/cluster/create/network-body.ts';

describe('the body of a network', () => {
  for (const { body, expected } of [
    { body: { Name: 'n' }, expected: true },
    { body: { Name: 'n', Driver: '' }, expected: true },
    { body: { name: 'n', driver: 'bridge', scope: '' }, expected: true },
    { body: { Name: 'n', Driver: 'overlay', Scope: 'swarm' }, expected: true },
    { body: { Name: 'n', Options: { 'com.docker.network.driver.mtu': '1400' } }, expected: true },
    { body: { Name: 'n', ConfigFrom: null, ConfigOnly: false, Options: null }, expected: true },
    { body: { Name: 'n', Driver: 'macvlan' }, expected: false },
    { body: { Name: 'n', Scope: 'local' }, expected: false },
    { body: { Name: 'n', Driver: 'bridge', Scope: 'swarm' }, expected: false },
    { body: { Name: 'n', Options: { 'com.docker.network.bridge.name': 'br-n' } }, expected: false },
    { body: { Name: 'n', ConfigOnly: true }, expected: false },
    { body: { Name: 'n', ConfigFrom: { Network: 'template' } }, expected: false },
    { body: { Name: 'n', Driver: 'overlay', Ingress: true }, expected: false },
    { body: { Name: 'bridge' }, expected: false },
  ]) {
    it(`${expected ? 'lets a network span nodes' : 'keeps a network on one node'} that is ${JSON.stringify(body)}`, () => {
      assert.equal(maySpanNodes(body), expected);
    });
  }

  it('becomes an attachable overlay, everything else as it was', () => {
    const body = { Name: 'n', driver: 'bridge', attachable: false, Internal: true, Labels: { a: 'b' } };
    assert.deepEqual(asOverlay(body), { ...body, driver: 'overlay', attachable: true });
  });

  it('keeps the driver that a Compose file names, which Compose v1 compares', () => {
    const Labels = { 'com.docker.compose.project': 'p' };
    const asked = { ...Labels, 'com.docker.swarm.network.driver': 'bridge' };
    assert.deepEqual(asOverlay({ Name: 'n', Driver: 'bridge', Labels })['Labels'], asked);
    assert.deepEqual(asOverlay({ Name: 'n', Labels })['Labels'], Labels);
  });

  it('becomes a bridge where it was to be an overlay, and stays as it is otherwise', () => {
    const body = { Name: 'n', Internal: true };
    assert.equal(asBridge(body), body);
    assert.deepEqual(asBridge({ ...body, Driver: 'overlay', Scope: 'swarm' }), {
      ...body,
      Driver: 'bridge',
      Scope: '',
    });
  });
});
