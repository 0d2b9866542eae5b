import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ContainerRow } from '../../../../src/docker/types.ts';
import type { EngineChange } from '../../../../src/engine/change.ts';
import { parseContainerDetails } from '../../../../src/engine/container-details.ts';
import { containerName } from '../../../../src/engine/container-record.ts';
import type { ContainerRecord } from '../../../../src/engine/container-record.ts';
import { EngineMirror } from '../../../../src/engine/mirror.ts';

function aRow(row: Partial<ContainerRow> = {}): ContainerRow {
  return {
    Id: 'c1',
    Names: ['/web'],
    Image: 'busybox',
    ImageID: 'sha256:1',
    Created: 1,
    State: 'running',
    Status: 'Up 1 second',
    ...row,
  };
}

function aRecord(row: Partial<ContainerRow> = {}, exitCode = 0): ContainerRecord {
  const full = aRow(row);
  const inspect = { Id: full.Id, Name: '/web', Created: '', Image: '', State: { ExitCode: exitCode } };
  return { id: full.Id, name: containerName(full), row: full, details: parseContainerDetails(inspect) };
}

function aMirror(): { readonly mirror: EngineMirror; readonly changes: EngineChange[] } {
  const changes: EngineChange[] = [];
  return { mirror: new EngineMirror((change) => changes.push(change)), changes };
}

describe('the mirror', () => {
  it('tells of a new, a changed and a removed container with the records before and after', () => {
    const { mirror, changes } = aMirror();
    const first = aRecord();
    const second = aRecord({ State: 'exited' }, 1);
    mirror.putContainer(first, mirror.beginFetch());
    mirror.putContainer(second, mirror.beginFetch());
    mirror.removeContainer('c1', mirror.beginFetch());
    assert.deepEqual(changes, [
      { kind: 'container', id: 'c1', before: undefined, after: first },
      { kind: 'container', id: 'c1', before: first, after: second },
      { kind: 'container', id: 'c1', before: second, after: undefined },
    ]);
    assert.equal(mirror.revision, 3);
  });

  it('keeps the record when nothing but the age in the status has changed', () => {
    const { mirror, changes } = aMirror();
    const first = aRecord();
    mirror.putContainer(first, mirror.beginFetch());
    mirror.putContainer(aRecord({ Status: 'Up 2 seconds' }), mirror.beginFetch());
    assert.equal(mirror.containers.get('c1'), first);
    assert.equal(changes.length, 1);
  });

  it('replaces the record when only its status says what is going on', () => {
    const { mirror } = aMirror();
    mirror.putContainer({ ...aRecord(), details: undefined }, mirror.beginFetch());
    mirror.putContainer({ ...aRecord({ Status: 'Exited (1)' }), details: undefined }, mirror.beginFetch());
    assert.equal(mirror.containers.get('c1')?.row.Status, 'Exited (1)');
  });

  it('drops the result of a fetch that began before the one that was applied', () => {
    const { mirror } = aMirror();
    const slow = mirror.beginFetch();
    const quick = mirror.beginFetch();
    mirror.putContainer(aRecord({ State: 'exited' }), quick);
    assert.equal(mirror.putContainer(aRecord({ State: 'running' }), slow), false);
    assert.equal(mirror.containers.get('c1')?.row.State, 'exited');
  });

  it('drops the result of a fetch that began before a removal', () => {
    const { mirror } = aMirror();
    const slow = mirror.beginFetch();
    mirror.removeContainer('c1', mirror.beginFetch());
    assert.equal(mirror.putContainer(aRecord(), slow), false);
    assert.equal(mirror.putContainer(aRecord(), mirror.beginFetch()), true);
  });

  it('never brings a destroyed container back', () => {
    const { mirror } = aMirror();
    mirror.destroyContainer('c1');
    assert.equal(mirror.putContainer(aRecord(), mirror.beginFetch()), false);
    assert.equal(mirror.containers.size, 0);
  });

  it('removes what a complete list does not have, unless it is newer than the list', () => {
    const { mirror } = aMirror();
    mirror.putContainer(aRecord({ Id: 'old' }), mirror.beginFetch());
    mirror.putContainer(aRecord({ Id: 'kept' }), mirror.beginFetch());
    const list = mirror.beginFetch();
    mirror.putContainer(aRecord({ Id: 'new' }), mirror.beginFetch());
    mirror.keepOnly(new Set(['kept']), list);
    assert.deepEqual([...mirror.containers.keys()], ['kept', 'new']);
  });

  it('tells of a list only when it differs, and keeps the newest', () => {
    const { mirror, changes } = aMirror();
    const image = { Id: 'sha256:1', Created: 1 };
    mirror.setImages([image], mirror.beginFetch());
    mirror.setImages([{ ...image }], mirror.beginFetch());
    const slow = mirror.beginFetch();
    mirror.setNetworks([{ Id: 'n1', Name: 'front' }], mirror.beginFetch());
    mirror.setNetworks([], slow);
    mirror.setVolumes([{ Name: 'data', Driver: 'local' }], mirror.beginFetch());
    assert.deepEqual(changes, [{ kind: 'images' }, { kind: 'networks' }, { kind: 'volumes' }]);
    assert.equal(mirror.networks.get('n1')?.Name, 'front');
    assert.equal(mirror.volumes.get('data')?.Driver, 'local');
  });
});
