// In what the manager differs from one dockerd, for users: README's table of differences is made of these. Where they
// show in answers is the allow-list's matter; some show with several nodes alone and have no place there.

export interface KnownDifference {
  readonly what: string;
  readonly why: string;
}

export const knownDifferences = {
  names: {
    what: 'names',
    why: '`docker ps` shows the plain name; each container can also be called `NODE/NAME`, and `--no-trunc` shows both. Names are unique over the cluster, and a network or volume called `a/b` is `b` on node `a`',
  },
  lists: {
    what: '`ps`',
    why: 'the label `com.docker.swarm.node` is added to each row, the filter `node=` (a name, a glob or an id) works for `ps`, `images`, `network ls`, `volume ls`, `events` and prunes',
  },
  inspect: {
    what: 'inspect',
    why: "has `Node`, and `Placement`, which tells why this node; `0.0.0.0` as a host address is the node's own address, and its double of IPv6 is left out where the node has none",
  },
  swarmId: {
    what: 'containers',
    why: 'carry the labels `com.docker.swarm.id`, by which they can be addressed too, and `com.docker.swarm.placement`, and so do images committed from them',
  },
  events: {
    what: 'events',
    why: 'carry `node.name`, `node.id`, `node.addr`, `node.ip`; members that come, go and return are events of type `node`; what several managers of a swarm report is told once',
  },
  identity: {
    what: '`version`, `info`',
    why: 'describe the manager and the cluster, and so does the header `Server`; the API is 1.24 to 1.51 whatever the engines speak. `_ping` always offers BuildKit, and says nothing of swarm mode, so that clients do not refuse `docker node ls` by themselves',
  },
  copies: {
    what: '`pull`, `load`, `import`',
    why: 'reach every node, and fail when they do not; a node that cannot pull is given the image by one that could; `push`, `save`, `history` use one that has the image, and `push` of an image that no node has is 404; `rmi` removes from every node where nothing uses the image; `system df` counts each copy',
  },
  networks: {
    what: 'networks of one node',
    why: 'a network that is no overlay is on one node, its containers are placed there, and a container of another node cannot be connected to it; those of one Compose project lie together',
  },
  sameName: {
    what: '`volume`, `network` of one name on several nodes',
    why: 'the plain name is refused as ambiguous, `NODE/NAME` works',
  },
  engineSocket: {
    what: 'a mounted `/var/run/docker.sock`',
    why: "is the engine of the container's node; what is to see the cluster (Traefik, a CI runner, Portainer) is given the manager's address",
  },
  builds: {
    what: 'builds',
    why: 'each client builds on one node as long as it is healthy. `docker buildx`, which is `docker build` from 23 on, tells build arguments to the engine alone, so that rules among them do nothing; with `DOCKER_BUILDKIT=0` they are obeyed',
  },
  nodes: {
    what: '`docker node ls`, `inspect`, `ps`, `update`, `rm`',
    why: 'are about the engines of the cluster, which need not be in swarm mode; a node cannot be promoted',
  },
  swarmMode: {
    what: 'services, stacks, secrets, configs',
    why: '503, as on an engine that is in no swarm; `swarm init` and `join` 501',
  },
  fullNodes: {
    what: '`create` on full nodes',
    why: '409 with the reason of each node; also for a platform, a runtime or a number of CPUs that no node has',
  },
  olderEngines: {
    what: 'clients and engines of different versions',
    why: 'what the engine lacks is made up for: several networks at once, lists and events of the newest form, `Content-Type` of streams; a volume that only a swarm could update answers 503 on every engine',
  },
  mistakes: {
    what: 'mistaken requests',
    why: 'are refused with the status and words of the newest engine, some with words of our own, where older ones answer 500 or let them pass; errors are JSON, also of `attach`, but for clients before 1.24',
  },
  notOffered: {
    what: '`/debug`',
    why: '404',
  },
  mixed: {
    what: 'nodes of several releases',
    why: "an engine's own refusals have the status and words of its release",
  },
} as const satisfies Readonly<Record<string, KnownDifference>>;

export type DifferenceName = keyof typeof knownDifferences;

/** The rows of README's table, in order. */
export function differenceRows(): readonly (readonly [string, string])[] {
  return Object.values(knownDifferences).map(({ what, why }) => [what, why]);
}
