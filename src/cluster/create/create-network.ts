// Networks are created on one node: the home of their project, or the least loaded node. Where engines share a swarm,
// a network that may span nodes is an attachable overlay, which a manager of the swarm creates. No two networks made
// here have one name.
import { sleep } from '../../common/abort.ts';
import { ApiError, badRequest, conflict, notFound } from '../../common/errors.ts';
import { effectiveVersion } from '../../docker/api-version.ts';
import { textMapMember, textMember, withGoMember } from '../../docker/go-member.ts';
import { isBuiltinNetwork } from '../../docker/predefined-networks.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineUnreachable } from '../../engine/unreachable.ts';
import type { CreatedNetwork, NetworkCreateCall } from '../calls.ts';
import type { ProjectHomes } from './home.ts';
import type { Identities } from '../nodes/identity.ts';
import type { NetworkIndex } from '../index/network-index.ts';
import { asBridge, asOverlay, maySpanNodes } from './network-body.ts';
import type { NetworkReach } from '../swarm/network-reach.ts';
import { splitNode } from '../nodes/split-node.ts';
import type { Swarm } from '../swarm/swarms.ts';
import type { UnseenNodes } from '../names/unseen-nodes.ts';

export interface NetworkCreatorOptions {
  readonly identities: Identities;
  readonly homes: ProjectHomes;
  readonly networks: NetworkIndex;
  readonly reach: NetworkReach;
  readonly unseen: UnseenNodes;
}

/** A swarm whose leader was lost has another one by then. */
const leaderlessLimitMs = 30_000;
const leaderlessPauseMs = 500;
const refusalsToBelieve = 3;
const allocationLimitMs = 5_000;
const allocationPauseMs = 20;

export class NetworkCreator {
  readonly #options: NetworkCreatorOptions;
  readonly #underWay = new Set<string>();

  constructor(options: NetworkCreatorOptions) {
    this.#options = options;
  }

  /** Throws 400 without a name, 404 for `node/name` without such a node, 409 when the name is taken, 503 when no node is healthy or one may have the name, and what the engine answers. */
  async create(call: NetworkCreateCall): Promise<CreatedNetwork> {
    const { engine: asked, name } = splitNode(this.#options.identities, textMember(call.body, 'Name'));
    if (name.trim() === '') throw badRequest('invalid name: name is empty');
    if (asked === undefined && name.indexOf('/') > 0) throw notFound('node', name.slice(0, name.indexOf('/')));
    const scope = asked === undefined ? name : `${asked.address}/${name}`;
    if (this.#isTaken(name, asked) || this.#underWay.has(scope))
      throw conflict(`network with name ${name} already exists`);
    const named = { ...call, body: withGoMember(call.body, 'Name', name) };
    this.#underWay.add(scope);
    try {
      return asked === undefined ? await this.#createSomewhere(named) : await this.#createOn(asked, named);
    } finally {
      this.#underWay.delete(scope);
    }
  }

  #isTaken(name: string, asked: Engine | undefined): boolean {
    if (isBuiltinNetwork(name)) return false;
    const owners = this.#options.networks.named(name);
    return asked === undefined ? owners.length > 0 : owners.some(({ engine }) => engine === asked);
  }

  async #createSomewhere(call: NetworkCreateCall): Promise<CreatedNetwork> {
    if (!maySpanNodes(call.body)) return await this.#createAtHome(call);
    const reach = await this.#options.reach.of(call.signal);
    if (reach.kind === 'swarm') return await this.#createInSwarm(reach.swarm, { ...call, body: asOverlay(call.body) });
    const created = await this.#createAtHome({ ...call, body: asBridge(call.body) });
    if (reach.reason === undefined) return created;
    const node = this.#options.identities.nameOf(created.engine);
    const warning = `the network is on node ${node} alone, and so will be the containers that join it: ${reach.reason}`;
    return { ...created, warning: [created.warning, warning].filter((text) => text !== '').join('\n') };
  }

  async #createAtHome(call: NetworkCreateCall): Promise<CreatedNetwork> {
    const name = textMember(call.body, 'Name');
    if (!isBuiltinNetwork(name)) this.#options.unseen.assertFree('network', name);
    const home = this.#options.homes.choose(textMapMember(call.body, 'Labels'));
    if (home === undefined) throw new ApiError(503, 'no healthy node can take the network');
    return await this.#createOn(home.engine, call);
  }

  /** Asks one manager after the other, and all of them again while the swarm chooses another leader. */
  async #createInSwarm(swarm: Swarm<Engine>, call: NetworkCreateCall): Promise<CreatedNetwork> {
    const deadline = performance.now() + leaderlessLimitMs;
    let refusals = 0;
    for (let isRepeated = false; ; isRepeated = true) {
      for (const engine of this.#options.reach.managersOf(swarm)) {
        try {
          const created = await this.#createOn(engine, call);
          await untilAllocated(created, call.signal);
          return created;
        } catch (error) {
          // An earlier attempt was carried out though it was not answered.
          if (isRepeated && error instanceof ApiError && error.status === 409) return await readCreated(engine, call);
          if (!mayPass(error) || performance.now() > deadline || call.signal.aborted) throw error;
          // A leader that has just been lost, or found, leaves errors behind; one that stays says them again.
          if (await hasLeader(engine)) refusals += 1;
          if (refusals >= refusalsToBelieve) throw error;
        }
      }
      await sleep(leaderlessPauseMs, call.signal);
    }
  }

  async #createOn(engine: Engine, { headers, version, body }: NetworkCreateCall): Promise<CreatedNetwork> {
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

/** A swarm gives a new network its driver and its addresses in the background. */
async function untilAllocated({ engine, id }: CreatedNetwork, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + allocationLimitMs;
  while (!signal.aborted && performance.now() < deadline) {
    const { body } = await engine.client.request({ method: 'GET', path: `/networks/${encodeURIComponent(id)}` });
    if (textMember(body, 'Driver') !== '') break;
    await sleep(allocationPauseMs, signal);
  }
  await engine.refreshNetworks(signal);
}

async function readCreated(engine: Engine, { body }: NetworkCreateCall): Promise<CreatedNetwork> {
  const path = `/networks/${encodeURIComponent(textMember(body, 'Name'))}`;
  const answer = await engine.client.request({ method: 'GET', path });
  await engine.refreshNetworks();
  return { engine, id: textMember(answer.body, 'Id'), warning: '' };
}

function mayPass(error: unknown): boolean {
  return error instanceof EngineUnreachable || (error instanceof ApiError && error.status >= 500);
}

async function hasLeader(manager: Engine): Promise<boolean> {
  try {
    await manager.client.request({ method: 'GET', path: '/swarm' });
    return true;
  } catch {
    return false;
  }
}
