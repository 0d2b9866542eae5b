// What a watcher of Consul asks for, told by a server that answers as an empty Consul does.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, it } from 'mocha';
import { openDiscovery } from '../../discovery/index.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { close, listen } from '../support/http-servers.ts';
import { MembershipWatcher } from '../support/membership-watcher.ts';
import { until } from '../support/until.ts';

describe('a watcher of Consul', () => {
  const waiting = new Set<string>();
  let server: Server;
  let watcher: MembershipWatcher;

  before(async () => {
    server = createServer((req, res) => {
      const { pathname, searchParams } = new URL(`http://consul${req.url ?? ''}`);
      const isWaiting = searchParams.get('index') === '7' && searchParams.has('wait');
      if (isWaiting) waiting.add(pathname);
      res.setHeader('X-Consul-Index', '7').setHeader('Content-Type', 'application/json');
      if (!isWaiting) res.writeHead(pathname.startsWith('/v1/kv/') ? 404 : 200).end('[]');
    });
    const port = await listen(server);
    const uri = `consul://127.0.0.1:${port}/shoal`;
    watcher = new MembershipWatcher(openDiscovery(uri, { role: 'manager', logger: createSilentLogger() }));
  });

  after(async () => {
    await watcher.stop();
    await close(server);
  });

  it('waits in Consul for what comes after the answers that it has', async () => {
    await until('all queries wait', () => waiting.size === 3);
    assert.deepEqual([...waiting].sort(), [
      '/v1/health/service/shoal',
      '/v1/kv/shoal%2Fdocker%2Fswarm%2Fnodes%2F',
      '/v1/kv/shoal%2Fwithdrawn%2F',
    ]);
  });
});
