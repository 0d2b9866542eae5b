// Volumes are created on one node: the home of their project, or the least loaded node. Creating one that exists
// already answers with it, as an engine does.
import { ApiError, conflict } from '../../common/errors.ts';
import { effectiveVersion } from '../../docker/api-version.ts';
import { isWireObject, textMapMember, textMember, withGoMember } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import { constraintFilter } from '../../scheduler/filters/constraint.ts';
import { whitelistFilter } from '../../scheduler/filters/whitelist.ts';
import { placementRequest } from '../../scheduler/request.ts';
import type { CreatedVolume, VolumeCreateCall } from '../calls.ts';
import type { FreshVolumes } from './fresh-volumes.ts';
import type { ProjectHomes } from './home.ts';
import type { Identities } from '../nodes/identity.ts';
import type { VolumeIndex } from '../index/volume-index.ts';
import type { NodeView } from '../nodes/node-view.ts';
import { splitNode } from '../nodes/split-node.ts';
import type { UnseenNodes } from '../names/unseen-nodes.ts';

export interface VolumeCreatorOptions {
  readonly identities: Identities;
  readonly nodes: () => readonly NodeView[];
  readonly homes: ProjectHomes;
  readonly freshVolumes: FreshVolumes;
  readonly volumes: VolumeIndex;
  readonly unseen: UnseenNodes;
}

export class VolumeCreator {
  readonly #options: VolumeCreatorOptions;
  readonly #underWay = new Map<string, Promise<CreatedVolume>>();

  constructor(options: VolumeCreatorOptions) {
    this.#options = options;
  }

  /** Throws 409 when a volume of that name has another driver or is on several nodes, 503 when no node is healthy or one may have the name. */
  async create(call: VolumeCreateCall): Promise<CreatedVolume> {
    const reference = textMember(call.body, 'Name');
    const { engine, name } = splitNode(this.#options.identities, reference);
    if (engine !== undefined) return await this.#createOn(engine, withGoMember(call.body, 'Name', name), call);
    if (name === '') return await this.#createSomewhere(call);
    const existing = this.#existing(name, call);
    if (existing !== undefined) return existing;
    await this.#finished(name);
    const other = this.#existing(name, call);
    if (other !== undefined) return other;
    this.#options.unseen.assertFree('volume', name);
    const work = this.#createSomewhere(call);
    this.#underWay.set(name, work);
    try {
      const created = await work;
      this.#options.freshVolumes.add(name, created.engine);
      return created;
    } finally {
      this.#underWay.delete(name);
    }
  }

  #existing(name: string, call: VolumeCreateCall): CreatedVolume | undefined {
    const location = this.#options.volumes.find(name);
    if (location === undefined) return undefined;
    const driver = textMember(call.body, 'Driver');
    if (driver !== '' && driver !== location.row.Driver) throw conflict(`create ${name}: volume name must be unique`);
    return location;
  }

  /** Another request may be creating the volume; whether it succeeds is its own affair. */
  async #finished(name: string): Promise<void> {
    for (let work = this.#underWay.get(name); work !== undefined; work = this.#underWay.get(name)) {
      await work.catch(() => undefined);
    }
  }

  async #createSomewhere(call: VolumeCreateCall): Promise<CreatedVolume> {
    const labels = textMapMember(call.body, 'Labels');
    const home = this.#options.homes.choose(labels, ruleTest(labels, this.#options.nodes()));
    if (home === undefined) throw new ApiError(503, 'no healthy node can take the volume');
    return await this.#createOn(home.engine, call.body, call);
  }

  async #createOn(engine: Engine, body: VolumeCreateCall['body'], call: VolumeCreateCall): Promise<CreatedVolume> {
    const { headers, version } = call;
    const answer = await engine.client.request({
      method: 'POST',
      path: '/volumes/create',
      version: effectiveVersion(version, engine.apiVersion),
      headers,
      body,
    });
    await engine.refreshVolumes();
    return { engine, row: isWireObject(answer.body) ? answer.body : {} };
  }
}

/** The nodes that the volume's own constraints and whitelists leave; soft ones do not count. Throws 400 for what is no list of expressions. */
function ruleTest(labels: Readonly<Record<string, string>>, nodes: readonly NodeView[]): (node: NodeView) => boolean {
  const request = placementRequest({ Labels: labels });
  const rules = [constraintFilter, whitelistFilter].flatMap((filter) => filter.requirements(request, nodes));
  const hard = rules.filter(({ soft }) => !soft);
  return (node) => hard.every((rule) => rule.accepts(node));
}
