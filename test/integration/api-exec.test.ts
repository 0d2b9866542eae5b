import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

describe('exec', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 2 });
    await shoal.run({ name: 'web' });
  });

  after(() => shoal.stop());

  async function createExec(body: object = {}): Promise<string> {
    const answer = await shoal.api
      .post('/containers/web/exec')
      .send({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true, ...body });
    assert.equal(answer.status, 201, answer.text);
    return (answer.body as { Id: string }).Id;
  }

  function startRequest(id: string, body: object, headers: readonly string[]): string {
    const text = JSON.stringify(body);
    return [
      `POST /v1.41/exec/${id}/start HTTP/1.1`,
      'Content-Type: application/json',
      `Content-Length: ${text.length}`,
      ...headers,
      '',
      text,
    ].join('\r\n');
  }

  it('finds the engine of an instance again, also after a restart of the manager', async () => {
    const id = await createExec();
    await shoal.api.get(`/exec/${id}/json`).expect(200);

    const other = await startSimulatedCluster({ engines: 0, announced: false });
    other.announce(shoal.engines);
    await other.api.get(`/exec/${id}/json`).expect(200);
    await other.stop();
  });

  it('answers 404 for an instance that no engine knows', async () => {
    await shoal.api.get('/exec/nope/json').expect(404, { message: 'No such exec instance: nope' });
    await shoal.api.post('/exec/nope/start').send({}).expect(404, { message: 'No such exec instance: nope' });
  });

  it('echoes standard input through an upgraded connection and ends with it', async () => {
    const id = await createExec({ Tty: true });
    const client = await shoal.openRaw();
    client.write(startRequest(id, { Detach: false, Tty: true }, ['Connection: Upgrade', 'Upgrade: tcp']));
    await client.untilText(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/);
    client.write('hello');
    client.end();

    assert.match(await client.untilEnd(), /\r\n\r\n[\s\S]*hello$/);
  });

  it('has the headers of the manager, never those of an engine, where engines have such headers', async () => {
    const id = await createExec({ Tty: true });
    const heads: string[] = [];
    // The second start is refused.
    for (const body of [{ Tty: true }, { Tty: true }]) {
      const client = await shoal.openRaw();
      client.write(startRequest(id, body, ['Connection: Upgrade', 'Upgrade: tcp']));
      client.end();
      heads.push((await client.untilEnd()).split('\r\n\r\n', 1).join(''));
    }

    assert.deepEqual(
      heads.map((head) => /^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
      ['101', '409'],
    );
    for (const head of heads) {
      assert.match(head, /^Api-Version: 1\.51\r?$/im);
      assert.equal(head.match(/^(?:Api-Version|Server):/gim)?.length, 2, head);
    }
  });

  it('echoes standard input without an upgrade, as old clients attach', async () => {
    const id = await createExec({ Tty: true });
    const client = await shoal.openRaw();
    client.write(startRequest(id, { Detach: false, Tty: true }, []));
    await client.untilText(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n/);
    client.write('hello');
    client.end();

    assert.match(await client.untilEnd(), /hello$/);
  });

  it('starts detached with an ordinary answer', async () => {
    const id = await createExec();

    const client = await shoal.openRaw();
    client.write(startRequest(id, { Detach: true }, []));

    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 OK\r\n/);
    client.destroy();
  });

  it('passes a refusal on as an ordinary answer', async () => {
    await shoal.api.post('/containers/web/pause').expect(204);
    await shoal.api
      .post('/containers/web/exec')
      .send({ Cmd: ['true'] })
      .expect(409);
    await shoal.api.post('/containers/web/unpause').expect(204);
  });
});
