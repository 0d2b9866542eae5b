// Engines as classicswarm's own agents announced them: a key with the address as name and content, which the store
// removes when the agent is gone.
import { ZooKeeperSession } from '../../../discovery/zookeeper/session.ts';
import { parseHostPort } from '../../../discovery/entry.ts';
import { httpCall } from './http-call.ts';
import type { StoreServers } from './store-servers.ts';

/** Resolves with what ends it, as the death of the agent would. */
export async function announceClassically(
  { store, servers }: StoreServers,
  prefix: string,
  address: string,
): Promise<() => Promise<void>> {
  const key = `${prefix}/docker/swarm/nodes/${address}`;
  const server = servers[0]?.address ?? '';
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const { status, json, text } = await httpCall({ method, url: `http://${server}${path}`, body, timeoutMs: 10_000 });
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return json;
  };
  switch (store) {
    case 'consul': {
      const session = idOf(await call('PUT', '/v1/session/create', { TTL: '10s', Behavior: 'delete' }));
      await call('PUT', `/v1/kv/${key}?acquire=${session}`, address);
      return async () => {
        await call('PUT', `/v1/session/destroy/${session}`);
      };
    }
    case 'etcd': {
      const lease = idOf(await call('POST', '/v3/lease/grant', { TTL: '10' }));
      await call('POST', '/v3/kv/put', { key: base64(key), value: base64(address), lease });
      return async () => {
        await call('POST', '/v3/lease/revoke', { ID: lease });
      };
    }
    case 'zookeeper': {
      const session = await openSession(server);
      for (const folder of foldersOf(`/${key}`)) {
        if ((await session.stat(folder)) === undefined) await session.create(folder, '', 'persistent');
      }
      await session.create(`/${key}`, address, 'ephemeral');
      return async () => {
        session.close();
        await session.ended;
      };
    }
  }
}

/** Takes the announcement of an engine out of the store as its operator might: nobody withdraws the engine. */
export async function invalidate({ store, servers }: StoreServers, prefix: string, address: string): Promise<void> {
  const server = servers[0]?.address ?? '';
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> =>
    (await httpCall({ method, url: `http://${server}${path}`, body, timeoutMs: 10_000 })).json;
  switch (store) {
    case 'consul':
      await call('PUT', `/v1/agent/service/deregister/${prefix}-${address}`);
      return;
    case 'etcd': {
      const { leases } = (await call('POST', '/v3/lease/leases', {})) as { readonly leases: readonly { ID: string }[] };
      for (const { ID } of leases) await call('POST', '/v3/lease/revoke', { ID });
      return;
    }
    case 'zookeeper': {
      const session = await openSession(server);
      await session.remove(`/${prefix}/docker/swarm/nodes/${address}`);
      session.close();
    }
  }
}

async function openSession(server: string): Promise<ZooKeeperSession> {
  return await ZooKeeperSession.open(
    {
      address: parseHostPort(server),
      tls: undefined,
      credentials: {},
      timeoutMs: 10_000,
      onChange: () => undefined,
      onOver: () => undefined,
    },
    AbortSignal.timeout(10_000),
  );
}

function idOf(answer: unknown): string {
  return (answer as { readonly ID: string }).ID;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function foldersOf(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, depth) => `/${names.slice(0, depth + 1).join('/')}`);
}
