// From a create call to what is placed and forwarded: references checked and spelled as the engine knows them,
// placement rules taken out of the environment, the swarm id written in. Synchronous, and nothing is changed yet.
import { randomBytes } from 'node:crypto';
import { badRequest } from '../../common/errors.ts';
import { checkContainerName } from '../../docker/container-name.ts';
import { createReferences, rewriteReferences } from '../../docker/create-references.ts';
import type { CreateReferences, ReferenceKind } from '../../docker/create-references.ts';
import { goMember, textMapMember, withGoMember } from '../../docker/go-member.ts';
import { referenceProblem } from '../../docker/image-reference.ts';
import type { CreateBody } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PlacementRequest } from '../../scheduler/contracts.ts';
import { placementRequest, withoutExpressions } from '../../scheduler/request.ts';
import { termsOf, type Terms } from '../../scheduler/terms.ts';
import type { CpuMode } from '../../scheduler/resource-demand.ts';
import type { ContainerCreateCall } from '../calls.ts';
import type { ContainerIndex } from '../index/container-index.ts';
import type { NetworkIndex } from '../index/network-index.ts';
import type { VolumeIndex } from '../index/volume-index.ts';
import type { ContainerLocation } from '../locations.ts';
import { swarmIdLabel } from '../swarm-labels.ts';

export interface PreparedCreate {
  readonly image: string;
  /** Without the leading slash; undefined: the engine makes one up. */
  readonly name: string | undefined;
  /** By which the container is recognised when its creation is reported by the engine before it is answered. */
  readonly swarmId: string;
  /** It takes the name of a former copy, wherever that one is. */
  readonly inheritsName: boolean;
  readonly body: CreateBody;
  readonly request: PlacementRequest;
  readonly terms: Terms;
  /** The engines of what was written as `node/name`; more than one can never be satisfied. */
  readonly pinned: ReadonlySet<Engine>;
}

export interface PrepareOptions {
  readonly containers: ContainerIndex;
  readonly networks: NetworkIndex;
  readonly volumes: VolumeIndex;
  readonly cpuMode: CpuMode;
  /** Whether a create under way has that swarm id. */
  readonly isReserved: (swarmId: string) => boolean;
}

/** Throws 400 as an engine does for a bad name, image or reference; 409 for an ambiguous one. Never 404. */
export function prepareCreate(call: ContainerCreateCall, options: PrepareOptions): PreparedCreate {
  const name = call.name === undefined || call.name === '' ? undefined : checkContainerName(call.name);
  const written = createReferences(call.body);
  assertImageReference(call.body, written.image);
  const spelling = new Spelling(options);
  checkContainers(written, spelling);
  const body = rewriteReferences(call.body, (kind, reference) => spelling.onEngine(kind, reference));
  const asked = placementRequest(body, { name, platform: call.platform, cpuMode: options.cpuMode });
  // An unknown container as network is not missed before the start.
  const dependencies = asked.dependencies.filter((reference) => spelling.isKnown(reference));
  const swarmId = call.succession?.swarmId ?? freshSwarmId(textMapMember(body, 'Labels')[swarmIdLabel], options);
  const discarded = call.succession?.discardedVolumes ?? [];
  const volumes = asked.volumes.filter((name) => !discarded.includes(name));
  return {
    image: written.image,
    name,
    swarmId,
    inheritsName: call.succession !== undefined,
    body: withSwarmId(withoutExpressions(body), swarmId),
    request: { ...asked, dependencies, volumes },
    terms: termsOf(body),
    pinned: spelling.pinned,
  };
}

/** Finds what a reference means and how the engine that has it spells it. */
class Spelling {
  readonly pinned = new Set<Engine>();
  readonly #options: PrepareOptions;

  constructor(options: PrepareOptions) {
    this.#options = options;
  }

  container(reference: string): ContainerLocation | undefined {
    return this.#options.containers.find(reference);
  }

  /** Also when several nodes have one of that name, as long as the pinned node has it. */
  isKnown(reference: string): boolean {
    return this.#options.containers.named(reference).length > 0 || this.container(reference) !== undefined;
  }

  onEngine(kind: ReferenceKind, reference: string): string {
    switch (kind) {
      case 'container':
        return this.#containerName(reference);
      case 'network':
        return this.#networkName(reference);
      case 'volume':
        return this.#volumeName(reference);
    }
  }

  #containerName(reference: string): string {
    const location = this.container(reference);
    if (location === undefined) return reference;
    const { id, name } = location.record;
    const plain = reference.startsWith('/') ? reference.slice(1) : reference;
    if (plain === name || id.startsWith(plain)) return reference;
    this.pinned.add(location.engine);
    return name;
  }

  #networkName(reference: string): string {
    if (!reference.includes('/') || this.#options.networks.named(reference).length > 0) return reference;
    const location = this.#options.networks.find(reference);
    if (location === undefined) return reference;
    this.pinned.add(location.engines[0]);
    return location.row.Name;
  }

  #volumeName(reference: string): string {
    if (!reference.includes('/') || this.#options.volumes.named(reference).length > 0) return reference;
    const location = this.#options.volumes.find(reference);
    if (location === undefined) return reference;
    this.pinned.add(location.engine);
    return location.row.Name;
  }
}

/** Engines look for a command first, which without an image only the body can give. */
function assertImageReference(body: CreateBody, image: string): void {
  const problem = referenceProblem(image);
  if (problem === undefined) return;
  const hasCommand = goMember(body, 'Cmd') !== undefined || goMember(body, 'Entrypoint') !== undefined;
  throw badRequest(image === '' && !hasCommand ? 'no command specified' : problem);
}

/** Links on a user-defined network are resolved at the start, those on the default one at once. */
function checkContainers(references: CreateReferences, spelling: Spelling): void {
  const { volumesFrom, ipcContainer, links, networks } = references;
  const needed = ipcContainer === undefined ? volumesFrom : [...volumesFrom, ipcContainer];
  for (const reference of needed) {
    if (spelling.container(reference) === undefined) throw badRequest(`No such container: ${reference}`);
  }
  if (networks.length > 0) return;
  for (const reference of links) {
    if (spelling.container(reference) !== undefined) continue;
    throw badRequest(`could not get container for ${reference}: No such container: ${reference}`);
  }
}

/** Tools that recreate a container copy its labels: the id is kept only when its former bearer is gone. */
function freshSwarmId(asked: string | undefined, { containers, isReserved }: PrepareOptions): string {
  const isFree = asked !== undefined && asked !== '' && !containers.hasId(asked) && !isReserved(asked);
  return isFree ? asked : randomBytes(32).toString('hex');
}

function withSwarmId(body: CreateBody, swarmId: string): CreateBody {
  return withGoMember(body, 'Labels', { ...textMapMember(body, 'Labels'), [swarmIdLabel]: swarmId });
}
