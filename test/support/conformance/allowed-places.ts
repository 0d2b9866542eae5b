// The places of the allow-list. Rows are added by hand, after asking whether the manager should not be mended instead.
import type { DifferenceName } from './known-differences.ts';
import type { Against } from './run.ts';

/** Places in the answers to a route, in one scenario. */
export interface AllowedPlace {
  readonly why: DifferenceName;
  /** '*': all. */
  readonly scenario: string;
  /** '*': all. */
  readonly route: string;
  /** As a difference has it; a `*` at the end stands for whatever follows. */
  readonly at: string;
  /** Only against this; on nodes of several releases it hangs on the node that is chosen, and need not occur. */
  readonly only?: Against;
}

type Row = readonly [scenario: string, route: string, at: string];
type Rows = Readonly<Partial<Record<DifferenceName, readonly Row[]>>>;

const everywhere: Rows = {
  identity: [
    ['*', '*', 'headers/server'],
    ['*', '*', 'headers/api-version'],
    ['greeting', 'GET /_ping', 'headers/swarm'],
    ['greeting', 'HEAD /_ping', 'headers/swarm'],
    ['*', 'GET /version', 'body/Platform/Name'],
    ['*', 'GET /version', 'body/Components/length'],
    ['*', 'GET /version', 'body/Version'],
    ['*', 'GET /version', 'body/GitCommit'],
    ['*', 'GET /version', 'body/GoVersion'],
    ['*', 'GET /version', 'body/BuildTime'],
    ['*', 'GET /info', 'body/ID'],
    ['*', 'GET /info', 'body/DriverStatus'],
    ['*', 'GET /info', 'body/Name'],
    ['*', 'GET /info', 'body/ServerVersion'],
    ['*', 'GET /info', 'body/Warnings'],
    ['*', 'GET /info', 'body/SystemStatus'],
  ],
  names: [
    ['*', 'GET /containers/json', 'body/[]/Names'],
    ['*', 'GET /system/df', 'body/Containers/[]/Names'],
  ],
  lists: [
    ['*', 'GET /containers/json', 'body/[]/Labels/com.docker.swarm.node'],
    ['*', 'GET /system/df', 'body/Containers/[]/Labels/com.docker.swarm.node'],
  ],
  swarmId: [
    ['*', 'GET /containers/json', 'body/[]/Labels/com.docker.swarm.id'],
    ['*', 'GET /containers/json', 'body/[]/Labels/com.docker.swarm.placement'],
    ['*', 'GET /system/df', 'body/Containers/[]/Labels/com.docker.swarm.id'],
    ['*', 'GET /system/df', 'body/Containers/[]/Labels/com.docker.swarm.placement'],
    ['*', 'GET /containers/{name*}/json', 'body/Config/Labels/com.docker.swarm.id'],
    ['*', 'GET /containers/{name*}/json', 'body/Config/Labels/com.docker.swarm.placement'],
    ['*', 'GET /images/{name*}/json', 'body/Config/Labels/com.docker.swarm.id'],
    ['*', 'GET /images/{name*}/json', 'body/Config/Labels/com.docker.swarm.placement'],
    ['*', 'GET /images/{name*}/json', 'body/ContainerConfig/Labels/com.docker.swarm.id'],
    ['*', 'GET /images/{name*}/json', 'body/ContainerConfig/Labels/com.docker.swarm.placement'],
    ['*', 'GET /events', 'body/[]/Actor/Attributes/com.docker.swarm.id'],
    ['*', 'GET /events', 'body/[]/Actor/Attributes/com.docker.swarm.placement'],
  ],
  inspect: [
    ['*', 'GET /containers/{name*}/json', 'body/Node'],
    ['*', 'GET /containers/{name*}/json', 'body/Placement'],
    ['*', 'GET /containers/{name*}/json', 'body/NetworkSettings/Ports/80/tcp/length'],
    ['*', 'GET /containers/json', 'body/[]/Ports/length'],
    ['*', 'GET /system/df', 'body/Containers/[]/Ports/length'],
  ],
  events: [
    ['*', 'GET /events', 'body/[]/Actor/Attributes/node.*'],
    ['*', 'GET /events', 'body/[]/node'],
  ],
  olderEngines: [
    ['container with unmet references', 'POST /containers/create', 'status'],
    ['container with unmet references', 'POST /containers/create', 'body*'],
  ],
  swarmMode: [
    ['swarm mode', 'POST /swarm/init', '*'],
    ['swarm mode', 'POST /swarm/join', '*'],
  ],
  nodes: [
    ['swarm mode', 'GET /nodes', '*'],
    ['swarm mode', 'GET /nodes/{id}', '*'],
    ['swarm mode', 'POST /nodes/{id}/update', '*'],
    ['swarm mode', 'DELETE /nodes/{id}', '*'],
  ],
  mistakes: [
    ['greeting', 'GET /_ping', 'body'],
    ['usage and events of an idle host', 'GET /events', 'status'],
    ['unknown container', 'GET /containers/{name*}/attach/ws', 'headers/connection'],
    ['unknown container', 'POST /containers/{name*}/attach', 'headers/content-type'],
    ['unknown container', 'POST /containers/{name*}/attach', 'headers/ostype'],
    ['unknown container', 'POST /containers/{name*}/attach', 'headers/docker-experimental'],
    ['unknown container', 'POST /containers/{name*}/attach', 'headers/connection'],
    ['unknown container', 'POST /containers/{name*}/attach', 'framing'],
    ['unknown container', 'POST /containers/{name*}/attach', 'body'],
    ['unknown object', 'POST /exec/{id*}/start', 'headers/connection'],
    ['wrong create', 'POST /containers/create', 'body*'],
    ['wrong create', 'POST /containers/create', 'status'],
    ['wrong create', 'POST /networks/create', 'status'],
    ['wrong create', 'POST /networks/create', 'body*'],
    ['wrong filter', 'GET /containers/json', 'body*'],
    ['wrong filter', 'GET /containers/json', 'status'],
    ['wrong filter', 'GET /networks', 'status'],
    ['images', 'POST /images/create', 'status'],
    ['images', 'POST /images/create', 'body*'],
    ['attach and logs', 'POST /containers/{name*}/attach', 'headers/connection'],
    ['attach and logs', 'GET /containers/{name*}/attach/ws', 'headers/ostype'],
    ['attach and logs', 'GET /containers/{name*}/attach/ws', 'headers/docker-experimental'],
    ['attach and logs', 'GET /containers/{name*}/attach/ws', 'headers/connection'],
    ['attach and logs', 'GET /containers/{name*}/attach/ws', 'framing'],
  ],
  notOffered: [
    ['request line', 'other', 'headers/ostype'],
    ['request line', 'other', 'headers/docker-experimental'],
    ['request line', 'other', 'headers/content-type'],
    ['request line', 'other', 'body*'],
    ['request line', 'other', 'status'],
  ],
  copies: [
    ['unknown object', 'POST /images/{name*}/push', 'status'],
    ['unknown object', 'POST /images/{name*}/push', 'body*'],
  ],
};

/** What the newest release does as the manager does. */
const onOldRelease: Rows = {
  identity: [
    ['greeting', 'GET /_ping', 'headers/builder-version'],
    ['greeting', 'HEAD /_ping', 'headers/builder-version'],
    ['*', 'GET /version', 'body/ApiVersion'],
    ['*', 'GET /version', 'body/MinAPIVersion'],
    ['*', 'GET /version', 'body/message'],
    ['*', 'GET /info', 'body/ExecutionDriver'],
  ],
  olderEngines: [
    ['unknown object', 'PUT /volumes/{name*}', 'status'],
    ['unknown object', 'PUT /volumes/{name*}', 'headers/ostype'],
    ['unknown object', 'PUT /volumes/{name*}', 'headers/docker-experimental'],
    ['unknown object', 'PUT /volumes/{name*}', 'body*'],
    ['volumes', 'PUT /volumes/{name*}', 'status'],
    ['volumes', 'PUT /volumes/{name*}', 'headers/ostype'],
    ['volumes', 'PUT /volumes/{name*}', 'headers/docker-experimental'],
    ['volumes', 'PUT /volumes/{name*}', 'body*'],
  ],
  mistakes: [
    ['greeting', 'GET /_ping', 'body/message'],
    ['usage and events of an idle host', 'GET /events', 'body*'],
    ['unknown container', 'POST /containers/{name*}/kill', 'body/message'],
    ['unknown object', 'GET /images/{name*}/json', 'body*'],
    ['wrong create', 'POST /volumes/create', 'body*'],
    ['wrong filter', 'GET /images/json', 'body*'],
    ['wrong filter', 'GET /images/json', 'status'],
    ['wrong filter', 'GET /volumes', 'body/message'],
    ['wrong filter', 'GET /networks', 'body*'],
    ['wrong filter', 'POST /containers/prune', 'body/message'],
    ['wrong filter', 'POST /images/prune', 'status'],
    ['wrong filter', 'POST /images/prune', 'body*'],
    ['wrong filter', 'POST /volumes/prune', 'status'],
    ['wrong filter', 'POST /volumes/prune', 'body*'],
    ['wrong filter', 'POST /networks/prune', 'status'],
    ['wrong filter', 'POST /networks/prune', 'body*'],
    ['wrong filter', 'POST /build/prune', 'status'],
    ['wrong filter', 'POST /build/prune', 'body*'],
    ['images', 'GET /images/{name*}/json', 'body/message'],
    ['wait', 'POST /containers/{name*}/wait', 'status'],
    ['wait', 'POST /containers/{name*}/wait', 'body*'],
    ['builds', 'POST /build/cancel', 'status'],
    ['wrong create', 'POST /volumes/create', 'status'],
  ],
};

/** Which node serves a call decides here, so these need not occur. */
const onSeveralReleases: readonly Row[] = [
  ['wrong filter', 'POST /containers/prune', 'status'],
  ['created container', 'GET /containers/{name*}/json', 'status'],
  ['created container', 'GET /containers/{name*}/json', 'headers/content-type'],
  ['created container', 'GET /containers/{name*}/json', 'body'],
  ['created container', 'PUT /containers/{name*}/archive', 'status'],
  ['created container', 'POST /containers/{name*}/update', 'status'],
  ['created container', 'DELETE /containers/{name*}', 'status'],
  ['container with unmet references', 'POST /containers/{name*}/start', 'status'],
  ['exec', 'POST /containers/{name*}/exec', 'status'],
  ['exec', 'POST /exec/{id*}/start', 'status'],
  ['images', 'POST /images/{name*}/tag', 'status'],
  ['builds', 'POST /build', 'status'],
];

export const allowedPlaces: readonly AllowedPlace[] = [
  ...placesOf(everywhere),
  ...placesOf(onOldRelease, '20.10'),
  ...placesOf({ mixed: onSeveralReleases }, 'mixed'),
];

function placesOf(rows: Rows, only?: Against): AllowedPlace[] {
  return Object.entries(rows).flatMap(([why, places]) =>
    places.map(([scenario, route, at]) => ({
      ...{ why: why as DifferenceName, scenario, route, at },
      ...(only === undefined ? {} : { only }),
    })),
  );
}
