// `shoal ca` as it is used: files on disk, and two ends of a TLS connection that trust each other because of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, before, describe, it } from 'mocha';
import { runCa } from '../../src/cli/ca.ts';

describe('shoal ca', () => {
  let folder: string;
  let authority: string;
  const said: string[] = [];
  const out = (text: string): void => void said.push(text);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-ca-'));
    authority = join(folder, 'ca');
    await runCa({ kind: 'init', authority, name: 'development', days: 10 }, out);
    const common = { authority, units: [], days: 1 };
    const addresses = { alternativeNames: ['127.0.0.1'] };
    await runCa({ kind: 'server', ...common, ...addresses, name: 'manager', out: join(folder, 'manager') }, out);
    await runCa({ kind: 'client', ...common, alternativeNames: [], name: 'ann', out: join(folder, 'ann') }, out);
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('lays the files out as docker expects them, names them, and keeps keys to the owner', async () => {
    for (const [directory, names] of [
      ['ca', ['ca-key.pem', 'ca.pem']],
      ['ann', ['ca.pem', 'cert.pem', 'key.pem']],
    ] as const) {
      assert.deepEqual(await readdir(join(folder, directory)), names);
      for (const name of names) {
        const path = join(folder, directory, name);
        assert.equal((await stat(path)).mode & 0o777, name.endsWith('key.pem') ? 0o600 : 0o644);
        assert.ok(said.join('').includes(`${path}\n`));
      }
    }
  });

  it('makes certificates with which both sides know each other', async () => {
    const server = tls.createServer({ ...(await identity('manager')), requestCert: true, rejectUnauthorized: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const met = once(server, 'secureConnection');
    const client = tls.connect({ ...(await identity('ann')), host: '127.0.0.1', port });
    await once(client, 'secureConnect');
    const [socket] = (await met) as [tls.TLSSocket];
    assert.equal(socket.getPeerX509Certificate()?.toLegacyObject().subject.CN, 'ann');
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  it('overwrites nothing, and leaves nothing half made', async () => {
    const before = await readFile(join(authority, 'ca.pem'), 'utf8');
    await assert.rejects(runCa({ kind: 'init', authority, name: 'again', days: 1 }, out), /ca-key\.pem exists/);
    assert.equal(await readFile(join(authority, 'ca.pem'), 'utf8'), before);

    const half = join(folder, 'half');
    const order = {
      kind: 'client',
      authority,
      name: 'half',
      units: [],
      alternativeNames: [],
      days: 1,
      out: half,
    } as const;
    await runCa(order, out);
    await rm(join(half, 'key.pem'));
    await writeFile(join(half, 'cert.pem'), 'mine');
    await assert.rejects(runCa(order, out), /cert\.pem exists/);
    assert.deepEqual(await readdir(half), ['ca.pem', 'cert.pem']);
    assert.equal(await readFile(join(half, 'cert.pem'), 'utf8'), 'mine');
  });

  async function identity(name: string): Promise<tls.SecureContextOptions> {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readFile(join(folder, name, file))),
    );
    return { ca, cert, key };
  }
});
