// When a call that changes something has returned, the next list and the next inspect show it. Every time.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import type { HttpAnswer } from '../support/rig/http-call.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';

const workers = 8;

describe('a call that changes something', () => {
  let rig: Rig;
  let changes = 0;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5', '20.10'] });
  });

  after(async () => {
    await rig.stop();
  });

  it('is seen in list and inspect as soon as it returned, for containers', async () => {
    await shareOut(64, async (number) => {
      const id = text((await change('POST', `/containers/create?name=new-${number}`, container)).json, 'Id');
      await isSeen(id, { name: `new-${number}`, state: 'created' });
      await change('POST', `/containers/${id}/rename?name=old-${number}`);
      await isSeen(id, { name: `old-${number}`, state: 'created' });
      const restartPolicy = { Name: 'on-failure', MaximumRetryCount: number };
      await change('POST', `/containers/old-${number}/update`, { RestartPolicy: restartPolicy });
      const updated = await isSeen(id, { name: `old-${number}`, state: 'created' });
      assert.deepEqual(field(updated, 'HostConfig', 'RestartPolicy'), restartPolicy);
      await change('POST', `/containers/${id}/start`);
      await isSeen(id, { name: `old-${number}`, state: 'running' });
      await change('POST', `/containers/${id}/pause`);
      await isSeen(id, { name: `old-${number}`, state: 'paused' });
      await change('POST', `/containers/${id}/unpause`);
      await isSeen(id, { name: `old-${number}`, state: 'running' });
      const exec = text((await change('POST', `/containers/${id}/exec`, { Cmd: ['true'] })).json, 'Id');
      assert.equal(text((await rig.api('GET', `/exec/${exec}/json`)).json, 'ContainerID'), id);
      const withExec = await isSeen(id, { name: `old-${number}`, state: 'running' });
      assert.deepEqual(field(withExec, 'ExecIDs'), [exec]);
      await change('POST', `/containers/${id}/${number % 2 === 0 ? 'kill' : 'stop?t=0'}`);
      // An engine that is busy answers a kill before the container has ended.
      await change('POST', `/containers/${id}/wait`);
      await isSeen(id, { name: `old-${number}`, state: 'exited' });
      await change('DELETE', `/containers/${id}`);
      await isGone(id, `old-${number}`);
      const again = text((await change('POST', `/containers/create?name=old-${number}`, container)).json, 'Id');
      await isSeen(again, { name: `old-${number}`, state: 'created' });
      await change('DELETE', `/containers/old-${number}?force=1`);
      await isGone(again, `old-${number}`);
    });
  });

  it('is seen in list and inspect as soon as it returned, for volumes', async () => {
    await shareOut(60, async (number) => {
      const name = `volume-${number}`;
      await change('POST', '/volumes/create', { Name: name, Labels: { number: String(number) } });
      const { json } = await rig.api('GET', `/volumes/${name}`);
      assert.equal(field(json, 'Labels', 'number'), String(number));
      assert.ok((await volumeNames()).includes(name));
      await change('DELETE', `/volumes/${name}`);
      assert.equal((await rig.api('GET', `/volumes/${name}`)).status, 404);
      assert.ok(!(await volumeNames()).includes(name));
    });
  });

  it('is seen in list and inspect as soon as it returned, for images', async () => {
    await shareOut(60, async (number) => {
      const tag = `copy-${number}:latest`;
      await change('POST', `/images/busybox/tag?repo=copy-${number}&tag=latest`);
      const { json } = await rig.api('GET', `/images/${tag}/json`);
      assert.ok(elements(json, 'RepoTags').includes(tag));
      assert.ok((await imageTags()).includes(tag));
      await change('DELETE', `/images/${tag}`);
      assert.equal((await rig.api('GET', `/images/${tag}/json`)).status, 404);
      assert.ok(!(await imageTags()).includes(tag));
    });
  });

  it('is seen in list and inspect as soon as it returned, for networks', async () => {
    await shareOut(16, async (number) => {
      const name = `network-${number}`;
      const id = text((await change('POST', '/networks/create', { Name: name, Driver: 'bridge' })).json, 'Id');
      assert.equal(text((await rig.api('GET', `/networks/${name}`)).json, 'Id'), id);
      assert.ok((await networkIds()).includes(id));
      const onNetwork = { ...container, HostConfig: { NetworkMode: name } };
      const member = text((await change('POST', '/containers/create', onNetwork)).json, 'Id');
      await change('POST', `/networks/${id}/disconnect`, { Container: member });
      assert.deepEqual(await networksOf(member), []);
      await change('POST', `/networks/${id}/connect`, { Container: member });
      assert.deepEqual(await networksOf(member), [name]);
      await change('DELETE', `/containers/${member}`);
      await change('DELETE', `/networks/${id}`);
      assert.equal((await rig.api('GET', `/networks/${name}`)).status, 404);
      assert.ok(!(await networkIds()).includes(id));
    });
  });

  it('was made a thousand times', () => {
    assert.ok(changes >= 1000, `${changes} calls`);
  });

  const container = { Image: 'busybox', Cmd: ['sleep', '3600'] };

  async function change(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    changes += 1;
    const answer = await rig.api(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  /** Gives the inspect. */
  async function isSeen(id: string, expected: { readonly name: string; readonly state: string }): Promise<unknown> {
    const [list, { json: inspect }] = await Promise.all([listOf(id), rig.api('GET', `/containers/${id}/json`)]);
    const row = list[0];
    assert.deepEqual(
      { name: field(row, 'Names', 0), state: field(row, 'State') },
      { ...expected, name: `/${expected.name}` },
    );
    assert.deepEqual(
      { name: field(inspect, 'Name'), state: field(inspect, 'State', 'Status') },
      { ...expected, name: `/${expected.name}` },
    );
    return inspect;
  }

  async function isGone(id: string, name: string): Promise<void> {
    const [list, byId, byName] = await Promise.all([
      listOf(id),
      rig.api('GET', `/containers/${id}/json`),
      rig.api('GET', `/containers/${name}/json`),
    ]);
    assert.deepEqual([list, byId.status, byName.status], [[], 404, 404]);
  }

  async function listOf(id: string): Promise<readonly unknown[]> {
    return elements((await rig.api('GET', '/containers/json?all=1')).json).filter((row) => field(row, 'Id') === id);
  }

  async function volumeNames(): Promise<string[]> {
    return elements((await rig.api('GET', '/volumes')).json, 'Volumes').map((row) => text(row, 'Name'));
  }

  async function imageTags(): Promise<unknown[]> {
    return elements((await rig.api('GET', '/images/json')).json).flatMap((row) => elements(row, 'RepoTags'));
  }

  async function networkIds(): Promise<string[]> {
    return elements((await rig.api('GET', '/networks')).json).map((row) => text(row, 'Id'));
  }

  async function networksOf(id: string): Promise<string[]> {
    const { json } = await rig.api('GET', `/containers/${id}/json`);
    return Object.keys(field(json, 'NetworkSettings', 'Networks') ?? {});
  }
});

/** Does `count` pieces of work, numbered from 0, some at a time. */
async function shareOut(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < count) {
        next += 1;
        await work(next - 1);
      }
    }),
  );
}
