// Empties a host between scripts through its own API, so that it does the same for an engine and for a manager.
import { field } from '../document.ts';
import { httpCall, urlOf, type Peer } from '../rig/http-call.ts';

/** Containers, networks, volumes and every image but busybox are gone when this resolves. */
export async function sweep(peer: Peer): Promise<void> {
  const call = async (method: string, path: string): Promise<unknown> =>
    (await httpCall({ method, url: urlOf(peer, `/v1.41${path}`), tls: peer.tls })).json;
  for (const container of list(await call('GET', '/containers/json?all=1'))) {
    await call('DELETE', `/containers/${textOf(container, 'Id')}?force=1&v=1`);
  }
  for (const network of list(await call('GET', '/networks'))) {
    if (predefined.has(textOf(network, 'Name'))) continue;
    await call('DELETE', `/networks/${textOf(network, 'Id')}`);
  }
  for (const volume of list(field(await call('GET', '/volumes'), 'Volumes'))) {
    await call('DELETE', `/volumes/${textOf(volume, 'Name')}?force=1`);
  }
  for (const image of list(await call('GET', '/images/json?all=1'))) {
    const tags = list(field(image, 'RepoTags')).map(String);
    if (tags.includes('busybox:latest')) {
      for (const tag of tags) if (tag !== 'busybox:latest') await call('DELETE', `/images/${tag}`);
    } else {
      await call('DELETE', `/images/${textOf(image, 'Id')}?force=1`);
    }
  }
}

const predefined: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function textOf(value: unknown, key: string): string {
  return String(field(value, key));
}
