// Networks are created on one node: the home of their project, or the least loaded node. Where the nodes share a
// swarm, a network without a driver spans them all, as an attachable overlay that a manager of the swarm creates.
// No two networks made here have one name.
import { ApiError, badRequest, conflict, notFound } from '../common/errors.ts';
import { effectiveVersion } from '../docker/api-version.ts';
import { textMapMember, textMember, withGoMember } from '../docker/go-member.ts';
import { isBuiltinNetwork } from '../docker/predefined-networks.ts';
import type { Engine } from '../engine/engine.ts';
import type { CreatedNetwork, NetworkCreateCall } from './calls.ts';
import type { ProjectHomes } from './home.ts';
import type { Identities } from './identity.ts';
import type { NetworkIndex } from './index/network-index.ts';
import type { NodeView } from './node-view.ts';
import { shareOneSwarm } from './shared-swarm.ts';
import { splitNode } from './split-node.ts';

export interface NetworkCreatorOptions {
  readonly identities: Identities;
  readonly nodes: () => readonly NodeView[];
  readonly homes: ProjectHomes;
  readonly networks: NetworkIndex;
}

export class NetworkCreator {
  readonly #options: NetworkCreatorOptions;
  readonly #underWay = new Set<string>();

  constructor(options: NetworkCreatorOptions) {
    this.#options = options;
  }

  /** Throws 400 without a name, 404 for `node/name` without such a node, 409 when the name is taken, 503 when no node is healthy, and what the engine answers. */
  async create(call: NetworkCreateCall): Promise<CreatedNetwork> {
    const { engine: asked, name } = splitNode(this.#options.identities, textMember(call.body, 'Name'));
    if (name.trim() === '') throw badRequest('invalid name: name is empty');
    if (asked === undefined && name.indexOf('/') > 0) throw notFound('node', name.slice(0, name.indexOf('/')));
    const scope = asked === undefined ? name : `${asked.address}/${name}`;
    if (this.#isTaken(name, asked) || this.#underWay.has(scope))
      throw conflict(`network with name ${name} already exists`);
    const body = asked === undefined ? this.#withDriver(call.body) : call.body;
    const engine = asked ?? this.#choose(body);
    this.#underWay.add(scope);
    try {
      return await this.#createOn(engine, withGoMember(body, 'Name', name), call);
    } finally {
      this.#underWay.delete(scope);
    }
  }

  /** The engines' own networks are left to them: they answer that these cannot be created. */
  #isTaken(name: string, asked: Engine | undefined): boolean {
    if (isBuiltinNetwork(name)) return false;
    const owners = this.#options.networks.named(name);
    return asked === undefined ? owners.length > 0 : owners.some(({ engine }) => engine === asked);
  }

  #withDriver(body: NetworkCreateCall['body']): NetworkCreateCall['body'] {
    if (textMember(body, 'Driver') !== '' || isBuiltinNetwork(textMember(body, 'Name'))) return body;
    const healthy = this.#options.nodes().filter(({ engine }) => engine.state === 'healthy');
    if (!shareOneSwarm(healthy.map(({ engine }) => engine.info))) return body;
    return withGoMember(withGoMember(body, 'Driver', 'overlay'), 'Attachable', true);
  }

  #choose(body: NetworkCreateCall['body']): Engine {
    const { homes, nodes } = this.#options;
    const isForSwarm = textMember(body, 'Driver') === 'overlay' || textMember(body, 'Scope') === 'swarm';
    const leader = isForSwarm ? nodes().find(leadsSwarm) : undefined;
    const node = leader ?? homes.choose(textMapMember(body, 'Labels'));
    if (node === undefined) throw new ApiError(503, 'no healthy node can take the network');
    return node.engine;
  }

  async #createOn(engine: Engine, body: NetworkCreateCall['body'], call: NetworkCreateCall): Promise<CreatedNetwork> {
    const { headers, version } = call;
    const answer = await engine.client.request({
      method: 'POST',
      path: '/networks/create',
      version: effectiveVersion(version, engine.apiVersion),
      headers,
      body,
    });
    await engine.refreshNetworks();
    return { engine, id: textMember(answer.body, 'Id'), warning: textMember(answer.body, 'Warning') };
  }
}

function leadsSwarm({ engine }: NodeView): boolean {
  return engine.state === 'healthy' && engine.info?.Swarm?.ControlAvailable === true;
}
