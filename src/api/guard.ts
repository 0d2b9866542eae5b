// Decides whether a call may be made, before anything is done for it and before a node is chosen; a refusal names the
// rule. Callers who see a part of the containers get lists of that part by filters that are added to their own.
import { forbiddenInContainer, forbiddenInExec, forbiddenInVolume } from '../authorization/hazards.ts';
import {
  verbs as allVerbs,
  describeCaller,
  includesNode,
  nodePattern,
  revocationOf,
  ruleFor,
  type Caller,
  type Rule,
  type Rules,
} from '../authorization/rules.ts';
import type { ContainerLocation } from '../cluster/locations.ts';
import { ApiError } from '../common/errors.ts';
import { createReferences } from '../docker/create-references.ts';
import { parseFilters } from '../docker/filters.ts';
import { parseGoBool } from '../docker/go-bool.ts';
import { listMember, textMapMember, textMember, withGoMember } from '../docker/go-member.ts';
import type { ApiCall, RequestCall } from './api-call.ts';
import { isJsonObject, type JsonObject } from './request-body.ts';
import type { Route } from './route.ts';
import { routeName, verbOf } from './verbs.ts';

/** What there is of a call: an upgrade has no body to be read. */
export type GuardedCall = RequestCall & Partial<Pick<ApiCall, 'jsonValue'>>;

/** The changes without which the call may not go on. */
export interface Leave {
  /** In place of the call's own query. */
  readonly query?: URLSearchParams;
  /** In place of the JSON that the client sent. */
  readonly body?: JsonObject;
}

/** Lists and prunes of containers, and events: the label filter keeps to those that the caller sees. */
const labelled = new Set(['GET /containers/json', 'POST /containers/prune', 'GET /events']);
/** Those which know the filter `node`. */
const ofNodes = new Set([
  ...labelled,
  'GET /images/json',
  'GET /networks',
  'GET /networks/',
  'GET /volumes',
  'POST /images/prune',
  'POST /networks/prune',
  'POST /volumes/prune',
]);
/** They tell of all containers, or go to a node of their own choice. */
const undivided: Readonly<Record<string, 'labels' | 'nodes' | 'both'>> = {
  'GET /system/df': 'both',
  'POST /build': 'nodes',
  'POST /build/prune': 'nodes',
  'POST /session': 'nodes',
  'POST /grpc': 'nodes',
};

/** Throws ApiError 403 when `rules` do not let `caller` make the call. */
export async function guard(rules: Rules, caller: Caller, call: GuardedCall, route: Route): Promise<Leave> {
  const revocation = revocationOf(rules, caller);
  if (revocation !== undefined) throw denial(`${describeCaller(caller)} is revoked`);
  const verb = verbOf(route);
  if (verb === 'free') return {};
  const rule = ruleFor(rules, caller);
  if (rule === undefined) throw denial(`no rule names ${describeCaller(caller)}`);
  const allowed = verb === 'unknown' ? rule.verbs.size === allVerbs.length : rule.verbs.has(verb);
  if (!allowed) throw denialBy(rule, `${verb} is not allowed (${routeName(route)})`);
  return await new Check(rule, call, routeName(route)).leave();
}

function denial(reason: string): ApiError {
  return new ApiError(403, `access denied: ${reason}`);
}

function denialBy(rule: Rule, reason: string): ApiError {
  return denial(`by rule "${rule.name}": ${reason}`);
}

/** One call under one rule. */
class Check {
  readonly #rule: Rule;
  readonly #call: GuardedCall;
  readonly #route: string;

  constructor(rule: Rule, call: GuardedCall, route: string) {
    this.#rule = rule;
    this.#call = call;
    this.#route = route;
  }

  async leave(): Promise<Leave> {
    const { labels, nodes, forbidden } = this.#rule;
    const hasLabels = Object.keys(labels).length > 0;
    const isPartial = hasLabels || nodes.length > 0;
    const whole = undivided[this.#route];
    if (
      (hasLabels && (whole === 'labels' || whole === 'both')) ||
      (nodes.length > 0 && (whole === 'nodes' || whole === 'both'))
    )
      throw denialBy(this.#rule, `${this.#route} cannot be kept to ${hasLabels ? 'labels' : 'nodes'}`);
    if (isPartial) await this.#assertContainer();
    if (forbidden.size > 0 || isPartial) {
      const body = await this.#bodyLeave();
      if (body !== undefined) return { body };
    }
    return isPartial && (labelled.has(this.#route) || ofNodes.has(this.#route)) ? { query: this.#filtered() } : {};
  }

  /** The container that the call is about, wherever it names it. */
  async #assertContainer(): Promise<void> {
    const { params, query, cluster, path } = this.#call;
    const { name, id } = params;
    if (path.startsWith('/containers/') && name !== undefined) {
      if (parseGoBool(query.get('link'))) throw denialBy(this.#rule, 'links cannot be kept to containers');
      this.#assertSeen(name, cluster.containers.find(name));
    }
    if (this.#route === 'POST /commit') {
      const reference = query.get('container') ?? '';
      this.#assertSeen(reference, cluster.containers.find(reference));
    }
    if (path.startsWith('/exec/') && id !== undefined) await this.#assertExec(id);
  }

  async #assertExec(id: string): Promise<void> {
    const { cluster, signal } = this.#call;
    const engine = await cluster.execs.resolve(id, signal);
    const path = `/exec/${encodeURIComponent(id)}/json`;
    const { body } = await engine.client.request({ method: 'GET', path, signal });
    const container = textMember(body, 'ContainerID');
    this.#assertSeen(container, cluster.containers.find(container), 'must exist');
  }

  /** What does not exist is left to the call itself, which has the words for it. */
  #assertSeen(
    reference: string,
    location: ContainerLocation | undefined,
    mode: 'may be absent' | 'must exist' = 'may be absent',
  ): void {
    if (location === undefined) {
      if (mode === 'must exist') throw denialBy(this.#rule, `the container ${reference} is not known`);
      return;
    }
    const missing = this.#missingLabel(location.record.row.Labels ?? {});
    if (missing !== undefined) throw denialBy(this.#rule, `the container ${reference} has not the label ${missing}`);
    const node = this.#call.cluster.members.identityOf(location.engine).name;
    if (!includesNode(this.#rule, node)) throw denialBy(this.#rule, `the container ${reference} is on node ${node}`);
  }

  #missingLabel(labels: Readonly<Record<string, string>>): string | undefined {
    const missing = Object.entries(this.#rule.labels).find(([key, value]) => labels[key] !== value);
    return missing?.join('=');
  }

  /** The body of a create, kept to the rule; undefined where there is none to be changed. */
  async #bodyLeave(): Promise<JsonObject | undefined> {
    switch (this.#route) {
      case 'POST /containers/create':
        return this.#createLeave(await this.#json());
      case 'POST /containers/{name*}/exec':
        this.#assertNot(forbiddenInExec(await this.#json(), this.#rule));
        return undefined;
      case 'POST /volumes/create': {
        const body = await this.#json();
        this.#assertNot(forbiddenInVolume(body, this.#rule));
        this.#assertNodeOf(textMember(body, 'Name'));
        return undefined;
      }
      case 'POST /networks/create':
        this.#assertNodeOf(textMember(await this.#json(), 'Name'));
        return undefined;
      case 'POST /networks/{name*}/connect':
      case 'POST /networks/{name*}/disconnect': {
        const reference = textMember(await this.#json(), 'Container');
        this.#assertSeen(reference, this.#call.cluster.containers.find(reference));
        return undefined;
      }
      case 'POST /build':
        if (this.#rule.forbidden.has('host-network') && this.#call.query.get('networkmode') === 'host')
          this.#assertNot('the network of the host');
        return undefined;
      default:
        return undefined;
    }
  }

  #createLeave(body: unknown): JsonObject | undefined {
    if (!isJsonObject(body)) return undefined;
    this.#assertNot(forbiddenInContainer(body, this.#rule));
    const missing = this.#missingLabel(textMapMember(body, 'Labels'));
    if (missing !== undefined) throw denialBy(this.#rule, `a container must have the label ${missing}`);
    const { volumesFrom, links, neighbours } = createReferences(body);
    for (const reference of new Set([...volumesFrom, ...links, ...neighbours]))
      this.#assertSeen(reference, this.#call.cluster.containers.find(reference));
    const { nodes } = this.#rule;
    if (nodes.length === 0) return undefined;
    const constraint = `constraint:node==/^(${nodes.map(nodePattern).join('|')})$/`;
    return withGoMember(body, 'Env', [...listMember(body, 'Env'), constraint]);
  }

  #assertNot(forbidden: string | undefined): void {
    if (forbidden !== undefined) throw denialBy(this.#rule, `${forbidden} is forbidden`);
  }

  /** Of "node/name". */
  #assertNodeOf(name: string): void {
    const slash = name.indexOf('/');
    if (slash > 0 && !includesNode(this.#rule, name.slice(0, slash)))
      throw denialBy(this.#rule, `node ${name.slice(0, slash)} is not allowed`);
  }

  #filtered(): URLSearchParams {
    const { cluster, query } = this.#call;
    const { labels, nodes } = this.#rule;
    let filters = parseFilters(query.get('filters'));
    if (labelled.has(this.#route))
      filters = filters.with('label', [
        ...filters.get('label'),
        ...Object.entries(labels).map((pair) => pair.join('=')),
      ]);
    if (nodes.length > 0 && ofNodes.has(this.#route)) {
      const names = cluster.members.engines.map((engine) => cluster.members.identityOf(engine).name);
      const mine = names.filter((name) => includesNode(this.#rule, name));
      const other = filters.get('node').find((value) => !mine.includes(value));
      if (other !== undefined) throw denialBy(this.#rule, `node ${other} is not allowed`);
      if (!filters.has('node')) filters = filters.with('node', mine.length === 0 ? ['none'] : mine);
    }
    const changed = new URLSearchParams(query);
    changed.set('filters', filters.toJson());
    return changed;
  }

  async #json(): Promise<unknown> {
    return await this.#call.jsonValue?.();
  }
}
