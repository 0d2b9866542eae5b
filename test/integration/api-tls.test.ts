import assert from 'node:assert/strict';
import tls from 'node:tls';
import { after, before, describe, it } from 'mocha';
import { RawConnection } from '../support/raw-connection.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { tlsIdentity } from '../support/tls-identity.ts';
import { until } from '../support/until.ts';

describe('the API over TLS', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    // The certificate signs itself: it is its own authority, and a client that shows it is let in.
    shoal = await startSimulatedCluster({ server: { tls: { ...tlsIdentity, clientCa: tlsIdentity.cert } } });
  });

  after(() => shoal.stop());

  function connect(options: tls.ConnectionOptions): RawConnection {
    const target = { port: shoal.port, host: '127.0.0.1', ca: tlsIdentity.cert, allowHalfOpen: true };
    return new RawConnection(tls.connect({ ...target, ...options }));
  }

  it('answers a client that shows a certificate of the authority', async () => {
    const client = connect(tlsIdentity);
    client.write('GET /_ping HTTP/1.1\r\nConnection: close\r\n\r\n');

    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nOK$/);
    client.destroy();
  });

  it('lets the output of a command come after the end of its input', async () => {
    const { id } = shoal.engine().createDirectly({ body: { OpenStdin: true } });
    await until('the manager knows the container', () => shoal.cluster.containers.find(id) !== undefined);
    const client = connect(tlsIdentity);
    client.write(
      `POST /containers/${id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n`,
    );
    await client.untilText('101 UPGRADED');
    client.write('last input');
    client.end();

    assert.match(await client.untilEnd(), /last input$/);
    client.destroy();
  });

  it('tells a client that shows no certificate so, and listens to no more of it', async () => {
    const client = connect({});
    client.write('GET /_ping HTTP/1.1\r\n\r\nGET /_ping HTTP/1.1\r\n\r\n');

    assert.match(
      await client.untilEnd(),
      /^HTTP\/1\.1 403 [^{]*\{"message":"the client is refused: it shows no certificate"\}\n$/,
    );
    client.destroy();
  });

  it('closes the connection of a client that speaks no TLS, at once', async () => {
    const client = await shoal.openRaw();
    client.write('GET /_ping HTTP/1.1\r\n\r\n');

    await until('the server closes', () => client.hasEnded || client.isClosed, 2_000);
    assert.equal(client.text.includes('HTTP/1.1 200'), false);
    client.destroy();
  });
});
