// Answers about the host as a whole, all made from what the manager knows already: no engine is asked.
import { nodeFacts } from '../views/node-facts.ts';
import { infoJson } from '../views/info.ts';
import { stayingText } from '../views/staying.ts';
import { toVersion, type HostFacts } from '../views/version.ts';
import type { ApiCall } from '../api-call.ts';
import { markPartial } from '../silent-nodes.ts';

/** GET and HEAD /_ping. The CLI sends it before every command and negotiates by its headers. */
export function ping(call: ApiCall): Promise<void> {
  const { res } = call;
  res.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
  res.setHeader('Pragma', 'no-cache');
  res.setHeader('Builder-Version', '2');
  // No Swarm header: "inactive" would make the CLI refuse `docker node`, which works here.
  if (call.req.method === 'HEAD') {
    // A HEAD answer of dockerd has the length of the body that it has: none.
    res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': 0 }).end();
  } else {
    call.sendText(200, 'OK');
  }
  return Promise.resolve();
}

export function version(call: ApiCall): Promise<void> {
  call.send(200, toVersion(call.settings, hostFacts(call)));
  return Promise.resolve();
}

export function info(call: ApiCall): Promise<void> {
  const { cluster, settings, version } = call;
  const { identityConflicts: conflicts } = cluster.members;
  const { list: waiting } = cluster.containerCreator.waiting;
  const networks = cluster.networkReach.describe();
  const nodes = nodeFacts(cluster);
  const staying = nodes.flatMap((node) => {
    const text = stayingText(cluster, node);
    return text === undefined ? [] : [`WARNING: node ${node.name} is being emptied: ${text}`];
  });
  markPartial(call);
  call.send(200, infoJson({ version, settings, nodes, conflicts, waiting, staying, networks, now: Date.now() }));
  return Promise.resolve();
}

/** Of the first node that has told them. */
function hostFacts({ cluster }: ApiCall): HostFacts {
  const version = cluster.members.engines.find((engine) => engine.version !== undefined)?.version;
  return { os: version?.Os ?? 'linux', arch: version?.Arch ?? 'amd64', kernelVersion: version?.KernelVersion ?? '' };
}
