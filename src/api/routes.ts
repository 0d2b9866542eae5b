// THE table of the API: every operation, in the order in which it is matched, and how it is served. A path
// that is not here does not exist (404 "page not found").
import * as builds from './handlers/build.ts';
import * as containers from './handlers/containers.ts';
import { createExec, startExec, useExec } from './handlers/exec.ts';
import { createContainer } from './handlers/container-create.ts';
import { inspectContainer } from './handlers/container-inspect.ts';
import { stopContainer, restartContainer } from './handlers/container-stop.ts';
import { waitForContainer } from './handlers/container-wait.ts';
import { diskUsage } from './handlers/disk-usage.ts';
import { streamEvents } from './handlers/events.ts';
import { listContainers } from './handlers/container-list.ts';
import { listImages } from './handlers/image-list.ts';
import { pullOrImport } from './handlers/image-pull.ts';
import { loadImages } from './handlers/image-upload.ts';
import * as images from './handlers/images.ts';
import { listNetworks } from './handlers/network-list.ts';
import * as networks from './handlers/networks.ts';
import { inspectNode, listNodes, listTasks, removeNode, updateNode } from './handlers/nodes.ts';
import * as plugins from './handlers/plugins.ts';
import * as prune from './handlers/prune.ts';
import { askAnyEngine } from './handlers/registry.ts';
import { refuseAsNonManager, refuseLeave, refuseSwarmMode } from './handlers/swarm.ts';
import { info, ping, version } from './handlers/system.ts';
import { listVolumes } from './handlers/volume-list.ts';
import * as volumes from './handlers/volumes.ts';
import type { Handling, Method, Route, TargetResolver } from './route.ts';

type Row = readonly [Method, string, Handling];

const metaRows: readonly Row[] = [
  ['GET', '/_ping', answer(ping)],
  ['HEAD', '/_ping', answer(ping)],
  ['GET', '/version', answer(version)],
  ['GET', '/info', answer(info)],
  ['GET', '/events', answer(streamEvents)],
  ['GET', '/system/df', answer(diskUsage)],
  ['POST', '/auth', answer(askAnyEngine)],
  ['GET', '/distribution/{name*}/json', answer(askAnyEngine)],
];

const containerRows: readonly Row[] = [
  ['GET', '/containers/json', answer(listContainers)],
  ['POST', '/containers/create', answer(createContainer)],
  ['POST', '/containers/prune', answer(prune.pruneContainers)],
  ['GET', '/containers/{name*}/json', answer(inspectContainer)],
  ['GET', '/containers/{name*}/top', forward(containers.use)],
  ['GET', '/containers/{name*}/logs', forward(containers.output)],
  ['GET', '/containers/{name*}/changes', forward(containers.use)],
  ['GET', '/containers/{name*}/export', forward(containers.use)],
  ['GET', '/containers/{name*}/stats', forward(containers.use)],
  ['GET', '/containers/{name*}/attach/ws', upgrade(containers.use)],
  ['HEAD', '/containers/{name*}/archive', forward(containers.use)],
  ['GET', '/containers/{name*}/archive', forward(containers.use)],
  ['PUT', '/containers/{name*}/archive', forward(containers.use)],
  ['POST', '/containers/{name*}/resize', forward(containers.use)],
  ['POST', '/containers/{name*}/attach', rawStream(containers.output)],
  ['POST', '/containers/{name*}/wait', answer(waitForContainer)],
  ['POST', '/containers/{name*}/start', answer(containers.start)],
  ['POST', '/containers/{name*}/stop', answer(stopContainer)],
  ['POST', '/containers/{name*}/restart', answer(restartContainer)],
  ['POST', '/containers/{name*}/kill', forward(containers.kill)],
  ['POST', '/containers/{name*}/pause', forward(containers.change)],
  ['POST', '/containers/{name*}/unpause', forward(containers.change)],
  ['POST', '/containers/{name*}/update', forward(containers.change)],
  ['POST', '/containers/{name*}/rename', answer(containers.rename)],
  ['DELETE', '/containers/{name*}/checkpoints/{checkpoint}', forward(containers.checkpoints)],
  ['GET', '/containers/{name*}/checkpoints', forward(containers.checkpoints)],
  ['POST', '/containers/{name*}/checkpoints', forward(containers.checkpoints)],
  ['DELETE', '/containers/{name*}', forward(containers.remove)],
  ['POST', '/commit', forward(containers.commit)],
];

const execRows: readonly Row[] = [
  ['POST', '/containers/{name*}/exec', answer(createExec)],
  ['POST', '/exec/{id*}/start', rawStream(startExec)],
  ['POST', '/exec/{id*}/resize', forward(useExec)],
  ['GET', '/exec/{id*}/json', forward(useExec)],
];

const imageRows: readonly Row[] = [
  ['GET', '/images/json', answer(listImages)],
  ['GET', '/images/search', answer(askAnyEngine)],
  ['GET', '/images/get', forward(images.saveImages)],
  ['POST', '/images/create', answer(pullOrImport)],
  ['POST', '/images/load', answer(loadImages)],
  ['POST', '/images/prune', answer(prune.pruneImages)],
  ['GET', '/images/{name*}/json', answer(images.inspectImage)],
  ['GET', '/images/{name*}/history', forward(images.imageHistory)],
  ['GET', '/images/{name*}/get', forward(images.saveImage)],
  ['POST', '/images/{name*}/push', forward(images.pushImage)],
  ['POST', '/images/{name*}/tag', answer(images.tagImage)],
  ['DELETE', '/images/{name*}', answer(images.removeImage)],
];

const buildRows: readonly Row[] = [
  ['POST', '/build', forward(builds.build)],
  ['POST', '/build/cancel', answer(builds.cancelBuild)],
  ['POST', '/build/prune', answer(prune.pruneBuilds)],
  ['POST', '/session', upgrade(builds.openSession)],
  ['POST', '/grpc', upgrade(builds.controlBuilder)],
];

const networkRows: readonly Row[] = [
  ['GET', '/networks', answer(listNetworks)],
  ['GET', '/networks/', answer(listNetworks)],
  ['POST', '/networks/create', answer(networks.createNetwork)],
  ['POST', '/networks/prune', answer(prune.pruneNetworks)],
  ['POST', '/networks/{name*}/connect', answer(networks.connectNetwork)],
  ['POST', '/networks/{name*}/disconnect', answer(networks.disconnectNetwork)],
  ['GET', '/networks/{name*}', answer(networks.inspectNetwork)],
  ['DELETE', '/networks/{name*}', answer(networks.removeNetwork)],
];

const volumeRows: readonly Row[] = [
  ['GET', '/volumes', answer(listVolumes)],
  ['POST', '/volumes/create', answer(volumes.createVolume)],
  ['POST', '/volumes/prune', answer(prune.pruneVolumes)],
  ['GET', '/volumes/{name*}', forward(volumes.inspectVolume)],
  ['PUT', '/volumes/{name*}', answer(volumes.changeVolume)],
  ['DELETE', '/volumes/{name*}', answer(volumes.removeVolume)],
];

const pluginRows: readonly Row[] = [
  ['GET', '/plugins', answer(plugins.listPlugins)],
  ['GET', '/plugins/privileges', answer(askAnyEngine)],
  ['POST', '/plugins/pull', answer(plugins.installPlugin)],
  ['POST', '/plugins/create', answer(plugins.createPlugin)],
  ['GET', '/plugins/{name*}/json', answer(plugins.inspectPlugin)],
  ['POST', '/plugins/{name*}/enable', answer(plugins.changePlugin)],
  ['POST', '/plugins/{name*}/disable', answer(plugins.changePlugin)],
  ['POST', '/plugins/{name*}/set', answer(plugins.changePlugin)],
  ['POST', '/plugins/{name*}/upgrade', answer(plugins.installPlugin)],
  ['POST', '/plugins/{name*}/push', forward(plugins.pushPlugin)],
  ['DELETE', '/plugins/{name*}', answer(plugins.changePlugin)],
];

const swarmRows: readonly Row[] = [
  ['GET', '/swarm', answer(refuseAsNonManager)],
  ['GET', '/swarm/unlockkey', answer(refuseAsNonManager)],
  ['POST', '/swarm/init', answer(refuseSwarmMode)],
  ['POST', '/swarm/join', answer(refuseSwarmMode)],
  ['POST', '/swarm/leave', answer(refuseLeave)],
  ['POST', '/swarm/update', answer(refuseAsNonManager)],
  ['POST', '/swarm/unlock', answer(refuseAsNonManager)],
  ['GET', '/nodes', answer(listNodes)],
  ['GET', '/nodes/{id}', answer(inspectNode)],
  ['POST', '/nodes/{id}/update', answer(updateNode)],
  ['DELETE', '/nodes/{id}', answer(removeNode)],
  ['GET', '/services', answer(refuseAsNonManager)],
  ['POST', '/services/create', answer(refuseAsNonManager)],
  ['GET', '/services/{id}', answer(refuseAsNonManager)],
  ['POST', '/services/{id}/update', answer(refuseAsNonManager)],
  ['DELETE', '/services/{id}', answer(refuseAsNonManager)],
  ['GET', '/services/{id}/logs', answer(refuseAsNonManager)],
  ['GET', '/tasks', answer(listTasks)],
  ['GET', '/tasks/{id}', answer(refuseAsNonManager)],
  ['GET', '/tasks/{id}/logs', answer(refuseAsNonManager)],
  ['GET', '/secrets', answer(refuseAsNonManager)],
  ['POST', '/secrets/create', answer(refuseAsNonManager)],
  ['GET', '/secrets/{id}', answer(refuseAsNonManager)],
  ['POST', '/secrets/{id}/update', answer(refuseAsNonManager)],
  ['DELETE', '/secrets/{id}', answer(refuseAsNonManager)],
  ['GET', '/configs', answer(refuseAsNonManager)],
  ['POST', '/configs/create', answer(refuseAsNonManager)],
  ['GET', '/configs/{id}', answer(refuseAsNonManager)],
  ['POST', '/configs/{id}/update', answer(refuseAsNonManager)],
  ['DELETE', '/configs/{id}', answer(refuseAsNonManager)],
];

/** Every route, in matching order. */
export const routes: readonly Route[] = [
  metaRows,
  containerRows,
  execRows,
  imageRows,
  buildRows,
  networkRows,
  volumeRows,
  pluginRows,
  swarmRows,
]
  .flat()
  .map(([method, pattern, handling]) => ({ method, pattern, handling }));

function answer(handle: Extract<Handling, { kind: 'answer' }>['handle']): Handling {
  return { kind: 'answer', handle };
}

function forward(target: TargetResolver): Handling {
  return { kind: 'forward', target };
}

/** A raw stream with an upgrade and without. */
function rawStream(target: TargetResolver): Handling {
  return { kind: 'hijack', target, withoutUpgrade: 'raw stream' };
}

/** A raw stream after an upgrade only. */
function upgrade(target: TargetResolver): Handling {
  return { kind: 'hijack', target, withoutUpgrade: 'plain' };
}
