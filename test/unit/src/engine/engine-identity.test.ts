import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  apiVersionRange,
  commonApiVersion,
  contradictsInfo,
  engineLabels,
  lastingInfo,
  splitAddress,
} from '../../../../src/engine/engine-identity.ts';
import { IncompatibleEngine } from '../../../../src/engine/health.ts';

describe('the identity of an engine', () => {
  for (const { min, max, expected } of [
    { min: '1.12', max: '1.41', expected: '1.41' },
    { min: '1.44', max: '1.55', expected: '1.51' },
    { min: '1.24', max: '1.24', expected: '1.24' },
    { min: '1.51', max: '1.51', expected: '1.51' },
  ]) {
    it(`shares API ${expected} of ${min} to ${max}`, () => {
      assert.equal(commonApiVersion({ min, max }), expected);
    });
  }

  for (const { min, max } of [
    { min: '1.52', max: '1.60' },
    { min: '1.12', max: '1.23' },
  ]) {
    it(`shares no API of ${min} to ${max}`, () => {
      assert.throws(() => commonApiVersion({ min, max }), IncompatibleEngine);
    });
  }

  it('takes the oldest version of an engine that does not tell it', () => {
    assert.deepEqual(apiVersionRange({ ApiVersion: '1.24' }), { min: '1.24', max: '1.24' });
  });

  it('reads labels with and without values', () => {
    const labels = engineLabels({ Labels: ['storage=ssd', 'a=b=c', 'flag', 'storage=hdd'] });
    assert.deepEqual(labels, { storage: 'hdd', a: 'b=c', flag: '' });
    assert.deepEqual(engineLabels({ Labels: null }), {});
  });

  it('leaves clocks and counters out of what lasts', () => {
    assert.deepEqual(lastingInfo({ Name: 'n', SystemTime: 'now', Containers: 3, NCPU: 4 }), { Name: 'n', NCPU: 4 });
  });

  const worker = { Swarm: { LocalNodeState: 'active', ControlAvailable: false } };
  const outside = { Swarm: { LocalNodeState: 'inactive' } };
  for (const { word, info, expected } of [
    { word: 'active/worker', info: worker, expected: false },
    { word: 'active/manager', info: worker, expected: true },
    { word: 'inactive', info: worker, expected: true },
    { word: 'inactive', info: outside, expected: false },
    { word: 'pending', info: outside, expected: true },
    { word: '', info: worker, expected: false },
    { word: 'active/worker', info: undefined, expected: false },
  ]) {
    it(`${expected ? 'hears news in' : 'learns nothing from'} "${word}" of an engine known as ${JSON.stringify(info)}`, () => {
      assert.equal(contradictsInfo(word, info), expected);
    });
  }

  for (const { address, expected } of [
    { address: '10.0.0.1:2375', expected: { host: '10.0.0.1', port: 2375 } },
    { address: '[fd00::1]:2376', expected: { host: 'fd00::1', port: 2376 } },
    { address: 'node-1.local', expected: { host: 'node-1.local', port: 2375 } },
  ]) {
    it(`splits the address ${address}`, () => {
      assert.deepEqual(splitAddress(address), expected);
    });
  }

  for (const address of ['', 'fd00::1:2375', 'a:b', ':2375']) {
    it(`refuses the address "${address}"`, () => {
      assert.throws(() => splitAddress(address), /is not an address of an engine/);
    });
  }
});
