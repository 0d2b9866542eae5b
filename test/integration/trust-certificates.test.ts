// Certificates that must not be trusted, on both sides of the manager, each with the reason that is told; and
// certificates that are renewed while everything runs.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, afterEach, before, describe, it } from 'mocha';
import { Door } from '../../src/agent/door.ts';
import type { CertifiedKey } from '../../src/certificates/issue.ts';
import { CertificateFiles } from '../../src/common/certificate-files.ts';
import { TaskSet } from '../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import type { EngineTls } from '../../src/engine/engine-agent.ts';
import { Engine } from '../../src/engine/engine.ts';
import { fastTimings } from '../support/connected-engine.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { CertificateAuthority, type IdentityOptions } from '../support/rig/certificates.ts';
import { startSimulatedCluster, type SimulatedCluster } from '../support/simulated-cluster.ts';
import { startSimulatedEngine, type SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
/** What OpenSSL still needs to be asked for before it speaks a version that is no longer safe. */
const oldTls = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

describe('certificates', () => {
  let ours: CertificateAuthority;
  let others: CertificateAuthority;
  /** Called as ours is. */
  let impostor: CertificateAuthority;
  let trusted: CertifiedKey;

  before(async () => {
    ours = await CertificateAuthority.create('unused', 'ours');
    others = await CertificateAuthority.create('unused', 'others');
    impostor = await CertificateAuthority.create('unused', 'ours');
    trusted = await ours.sign('trusted', local);
  });

  const local: IdentityOptions = { addresses: ['127.0.0.1'] };

  describe('of clients', () => {
    let shoal: SimulatedCluster;
    const log: string[] = [];

    before(async () => {
      const identity = { ...trusted, clientCa: ours.cert };
      shoal = await startSimulatedCluster({ engines: 1, server: { tls: identity, logger: recordingLogger(log) } });
    });

    after(() => shoal.stop());

    afterEach(() => void log.splice(0));

    const ask = (options: tls.ConnectionOptions): Promise<string> => pingAt(shoal.port, options);

    it('of our CA open the door', async () => {
      assert.match(await ask(await ours.sign('client', { uses: ['client'] })), /200 OK/);
      assert.deepEqual(log, []);
    });

    const refused: readonly {
      readonly title: string;
      readonly show: () => Promise<tls.ConnectionOptions>;
      readonly says: RegExp;
      /** There is no connection on which it could be told. */
      readonly isUntold?: true;
    }[] = [
      { title: 'none', show: () => Promise.resolve({}), says: /shows no certificate/ },
      { title: 'of another CA', show: () => others.sign('client'), says: /of another CA than ours/ },
      {
        title: 'of a CA that has the name of ours',
        show: () => impostor.sign('client'),
        says: /not signed by|another CA/,
      },
      {
        title: 'of an authority itself',
        show: () => Promise.resolve({ cert: others.cert, key: others.key }),
        says: /not made for this side/,
      },
      { title: 'that have expired', show: () => ours.sign('client', { validity: 'expired' }), says: /has expired/ },
      {
        title: 'that are not valid yet',
        show: () => ours.sign('client', { validity: 'not yet' }),
        says: /not valid yet/,
      },
      {
        title: 'made for servers',
        show: () => ours.sign('client', { uses: ['server'] }),
        says: /not made for this side/,
      },
      {
        title: 'signed by one that is no CA',
        show: () => CertificateAuthority.pretending(trusted).sign('client'),
        says: /no CA|another CA/,
      },
      {
        title: 'over TLS 1.1',
        show: async () => ({ ...(await ours.sign('client')), ...oldTls }),
        says: /1\.2 or newer/,
        isUntold: true,
      },
    ];
    for (const { title, show, says, isUntold } of refused) {
      it(`${title} are refused, and ${isUntold ? '' : 'the answer and '}the log say why`, async () => {
        const answer = await ask(await show());
        if (isUntold) assert.equal(answer, '');
        else
          assert.match(
            answer,
            new RegExp(`^HTTP/1.1 403 .*"message":"the client is refused: .*(?:${says.source})`, 's'),
          );
        await until('the log tells', () => log.length > 0);
        assert.match(log.join('\n'), says);
        assert.match(log.join('\n'), /127\.0\.0\.1/);
      });
    }

    for (const [title, wishes] of [
      ['of TLS 1.3', { minVersion: 'TLSv1.3' }],
      ['of TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ] as const) {
      it(`none are refused when a session ${title} is taken up again, too`, async () => {
        const sessions: Buffer[] = [];
        const first = tls.connect({ port: shoal.port, host: '127.0.0.1', rejectUnauthorized: false, ...wishes });
        first.on('session', (session) => sessions.push(session));
        const client = new RawConnection(first);
        client.write('GET /_ping HTTP/1.1\r\n\r\n');
        await until('the connection is over', () => client.hasEnded || client.isClosed);
        client.destroy();
        const session = sessions.at(-1);
        assert.ok(session !== undefined, 'the server hands out sessions');

        assert.match(await ask({ ...wishes, session }), /^HTTP\/1\.1 403 .*shows no certificate/s);
      });
    }

    it('are not there in plain HTTP, and the log says so', async () => {
      const client = await shoal.openRaw();
      client.write('GET /_ping HTTP/1.1\r\n\r\n');
      await until('the log tells', () => log.length > 0);
      assert.match(log.join('\n'), /plain HTTP where TLS is spoken/);
      client.destroy();
    });
  });

  describe('between the manager and engines', () => {
    let simulated: SimulatedEngine;
    const cleanups: (() => Promise<void>)[] = [];
    const log: string[] = [];

    before(async () => {
      simulated = await startSimulatedEngine({ name: 'node-1' });
    });

    after(() => simulated.stop());

    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
      log.splice(0);
    });

    async function openDoor(identity: CertifiedKey, port = 0): Promise<{ door: Door; port: number }> {
      const [host = '', enginePort = ''] = simulated.address.split(':');
      const door = new Door({
        engine: { host, port: Number(enginePort) },
        tls: { ...identity, clientCa: ours.cert },
        logger: recordingLogger(log),
      });
      cleanups.push(() => door.stop());
      return { door, port: (await door.listen({ host: '127.0.0.1', port })).port };
    }

    function startEngine(port: number, identity: Partial<EngineTls>): Engine {
      const address = `127.0.0.1:${port}`;
      const full = { ca: ours.cert, cert: trusted.cert, key: trusted.key, ...identity };
      const engine = new Engine({ address, logger, timings: fastTimings, tls: full });
      cleanups.push(() => engine.stop());
      engine.start();
      return engine;
    }

    async function whyNot(engine: Engine): Promise<string> {
      await until('the engine is given up', () => engine.state === 'unhealthy');
      return engine.lastError ?? '';
    }

    const ofEngines: readonly (readonly [title: string, make: () => Promise<CertifiedKey>, says: RegExp])[] = [
      ['of another CA', () => others.sign('node', local), /of another CA than ours/],
      ['of a CA that has the name of ours', () => impostor.sign('node', local), /not signed by|another CA/],
      [
        'of an authority itself',
        () => Promise.resolve({ cert: others.cert, key: others.key }),
        /not made for this side/,
      ],
      ['that have expired', () => ours.sign('node', { ...local, validity: 'expired' }), /has expired/],
      ['that are not valid yet', () => ours.sign('node', { ...local, validity: 'not yet' }), /not valid yet/],
      [
        'for another address',
        () => ours.sign('node', { addresses: ['10.0.0.1'] }),
        /127\.0\.0\.1 is not in.*10\.0\.0\.1/,
      ],
      ['made for clients', () => ours.sign('node', { ...local, uses: ['client'] }), /not made for this side/],
    ];
    for (const [title, make, says] of ofEngines) {
      it(`that an engine shows, ${title}, are refused with the reason`, async () => {
        const { port } = await openDoor(await make());
        assert.match(await whyNot(startEngine(port, {})), says);
      });
    }

    it('that an engine wants and the manager has not, are told as the reason', async () => {
      const { port } = await openDoor(trusted);
      assert.match(await whyNot(startEngine(port, { cert: '', key: '' })), /shows no certificate/);
      assert.match(log.join('\n'), /shows no certificate/);
    });

    it('that the door of an engine refuses are told in its log', async () => {
      const { port } = await openDoor(trusted);
      const why = await whyNot(startEngine(port, await ours.sign('manager', { validity: 'expired' })));
      assert.match(why, /its certificate has expired/);
      assert.match(log.join('\n'), /its certificate has expired/);
    });

    for (const [version, wishes] of [
      ['TLS 1.3', { minVersion: 'TLSv1.3' }],
      ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ] as const) {
      for (const [title, validity] of [
        ['none', undefined],
        ['expired ones', 'expired'],
      ] as const) {
        it(`that the door refuses are refused when the session is taken up again: ${title}, ${version}`, async () => {
          const { port } = await openDoor(trusted);
          const shown = validity && (await ours.sign('manager', { validity }));
          const sessions: Buffer[] = [];
          const answers: string[] = [];
          for (let attempt = 0; attempt < 2; attempt += 1) {
            const session = sessions.at(-1);
            answers.push(await pingAt(port, { ...wishes, ...shown, ...(session && { session }) }, sessions));
          }
          assert.ok(sessions.length > 0, 'the door hands out sessions');
          for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 403 .*"the client is refused: /s);
        });
      }
    }

    it('that an engine has not, because it speaks no TLS, are told as the reason', async () => {
      const port = Number(simulated.address.split(':')[1]);
      assert.match(await whyNot(startEngine(port, {})), /does not speak TLS/);
    });

    it('are renewed on both sides without losing the engine', async () => {
      const { door, port } = await openDoor(trusted);
      const identity = { ca: Buffer.from(ours.cert), cert: trusted.cert, key: trusted.key };
      const live: EngineTls = {
        get ca() {
          return identity.ca;
        },
        get cert() {
          return identity.cert;
        },
        get key() {
          return identity.key;
        },
      };
      const engine = startEngine(port, {});
      const follower = new Engine({ address: `127.0.0.1:${port}`, logger, timings: fastTimings, tls: live });
      cleanups.push(() => follower.stop());
      follower.start();
      await until('both are met', () => engine.state === 'healthy' && follower.state === 'healthy');

      Object.assign(identity, { ...(await others.sign('manager')), ca: Buffer.from(others.cert) });
      door.useIdentity({ ...(await others.sign('node', local)), clientCa: others.cert });
      for (const pool of [engine, follower]) pool.endpoint.agent.destroy();
      const { body } = await follower.client.request({ method: 'GET', path: '/info' });
      assert.ok(body);
      await assert.rejects(engine.client.request({ method: 'GET', path: '/info' }), /another CA/);
      assert.equal(follower.state, 'healthy');
    });
  });

  describe('in files', () => {
    let folder: string;
    let tasks: TaskSet;
    const log: string[] = [];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'shoal-certificates-'));
      await write('cert', trusted.cert);
      await write('key', trusted.key);
      await write('ca', ours.cert);
      tasks = new TaskSet(logger);
    });

    after(async () => {
      await tasks.stop();
      await rm(folder, { recursive: true });
    });

    const path = (name: string): string => join(folder, `${name}.pem`);
    const write = (name: string, text: string): Promise<void> => writeFile(path(name), text);

    it('are used by new connections as soon as all of them belong together, and not before', async () => {
      const paths = { ca: path('ca'), cert: path('cert'), key: path('key') };
      const files = new CertificateFiles(paths, recordingLogger(log));
      const identity = () => ({ ...files.current, clientCa: files.current.ca ?? '' });
      const shoal = await startSimulatedCluster({ engines: 1, server: { tls: identity() } });
      tasks.spawn('follow', (signal) =>
        files.follow(() => {
          shoal.server.useIdentity(identity());
        }, signal),
      );
      const holding = await shownBy(shoal.port, await ours.sign('old client'), ours.cert);
      assert.equal(holding.name, 'trusted');

      const renewed = await ours.sign('renewed', local);
      await write('cert', renewed.cert);
      await until('half a pair is reported', () => log.some((line) => line.includes('cannot be used')));
      assert.equal((await shownBy(shoal.port, await ours.sign('client'), ours.cert)).name, 'trusted');
      await write('key', renewed.key);
      await until('the new pair is shown', async () => {
        return (await shownBy(shoal.port, await ours.sign('client'), ours.cert)).name === 'renewed';
      });

      await write('ca', 'no certificate at all');
      await until('a broken CA is reported', () => log.length > 1);
      assert.equal((await shownBy(shoal.port, await ours.sign('client'), ours.cert)).answer, 'HTTP/1.1 200 OK');
      await write('ca', others.cert);
      await until('clients of the new CA are let in', async () => {
        return (await shownBy(shoal.port, await others.sign('client'), ours.cert)).answer === 'HTTP/1.1 200 OK';
      });
      assert.equal((await shownBy(shoal.port, await ours.sign('client'), ours.cert)).answer, 'HTTP/1.1 403 Forbidden');
      await shoal.stop();
    });

    it('that end soon, have ended or have not begun are told to operators', async () => {
      await write('ca', ours.cert);
      await write('cert', trusted.cert);
      await write('key', trusted.key);
      const files = new CertificateFiles({ ca: path('ca'), cert: path('cert'), key: path('key') }, logger);
      const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);
      assert.match(files.warnings().join(), /cert\.pem expires on/);
      assert.match(files.warnings(inDays(3)).join(), /cert\.pem has expired on/);
      assert.match(files.warnings(inDays(-3)).join(), /cert\.pem is not valid before/);
      assert.deepEqual(files.warnings(inDays(-3)).length, 1);
    });

    it('that do not belong together are refused at the start', async () => {
      await write('key', (await ours.sign('another')).key);
      const paths = { ca: path('ca'), cert: path('cert'), key: path('key') };
      assert.throws(() => new CertificateFiles(paths, logger), /key values mismatch/);
      assert.throws(() => new CertificateFiles({ ...paths, key: path('absent') }, logger), /ENOENT/);
    });
  });
});

/** All that comes back for a ping; `sessions` gets what the server hands out. */
async function pingAt(port: number, options: tls.ConnectionOptions, sessions: Buffer[] = []): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('session', (session) => sessions.push(session));
  const client = new RawConnection(socket);
  client.write('GET /_ping HTTP/1.1\r\nConnection: close\r\n\r\n');
  await until('the connection is over', () => client.hasEnded || client.isClosed);
  client.destroy();
  return client.text;
}

interface Meeting {
  /** The common name that the server shows. */
  readonly name: string;
  /** Its first line. */
  readonly answer: string;
}

async function shownBy(port: number, identity: CertifiedKey, ca: string): Promise<Meeting> {
  const socket = tls.connect({ port, host: '127.0.0.1', ...identity, ca });
  const client = new RawConnection(socket);
  client.write('GET /_ping HTTP/1.1\r\nConnection: close\r\n\r\n');
  let name = '';
  socket.once('secureConnect', () => {
    name = socket.getPeerX509Certificate()?.toLegacyObject().subject.CN?.toString() ?? '';
  });
  await until('the connection is over', () => client.hasEnded || client.isClosed);
  client.destroy();
  return { name, answer: client.text.split('\r\n')[0] ?? '' };
}
