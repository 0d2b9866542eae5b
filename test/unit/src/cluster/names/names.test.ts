import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Identities } from '../../../../../src/cluster/nodes/identity.ts';
import { ContainerIndex } from '../../../../../src/cluster/index/container-index.ts';
import { ContainerNames } from '../../../../../src/cluster/names/names.ts';
import { UnseenNodes } from '../../../../../src/cluster/names/unseen-nodes.ts';

describe('ContainerNames', () => {
  it('gives a name to one at a time and names the holder to the others', () => {
    const identities = new Identities();
    const names = new ContainerNames(
      new ContainerIndex(identities),
      new UnseenNodes({ mode: 'refuse', identities, remembered: undefined }),
    );
    const first = names.reserve('web', 'holder1');
    assert.throws(() => names.reserve('web', 'holder2'), /"\/web" is already in use by container "holder1"/);
    first.release();
    const second = names.reserve('web', 'holder2');
    first.release();
    assert.throws(() => names.reserve('web', 'holder3'), /holder2/, 'a second release gives nothing back');
    second.release();
  });
});
