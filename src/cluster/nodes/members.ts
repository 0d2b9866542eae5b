// The members as everyone else sees them: engines and their node views in the order of the names the cluster gives
// them. Who is a member is decided by `Membership`; what is derived here is thrown away whenever that order may change.
import { compareText } from '../../common/compare-text.ts';
import { Deadline } from '../../common/deadline.ts';
import type { Engine } from '../../engine/engine.ts';
import type { KeptOrders } from '../../scheduler/kept-orders.ts';
import type { IdentityConflict, NodeIdentity } from '../locations.ts';
import { Swarms } from '../swarm/swarms.ts';
import type { Identities } from './identity.ts';
import type { NodeView } from './node-view.ts';

export class Members {
  /** Which of the engines share a swarm-mode cluster. */
  readonly swarms = new Swarms<Engine>(() => this.engines);
  readonly #identities: Identities;
  readonly #orders: KeptOrders;
  readonly #viewOf = new Map<Engine, NodeView>();
  #revision = 0;
  #nodes: readonly NodeView[] | undefined;
  #engines: readonly Engine[] | undefined;

  constructor(identities: Identities, orders: KeptOrders) {
    this.#identities = identities;
    this.#orders = orders;
  }

  /** Every member in the order of the names, the unhealthy ones too. */
  get engines(): readonly Engine[] {
    return (this.#engines ??= this.nodes.map((node) => node.engine));
  }

  get healthyEngines(): readonly Engine[] {
    return this.engines.filter((engine) => engine.state === 'healthy');
  }

  /** The scheduler's view of every member, in the order of the names; kept up to date, so not to be kept. */
  get nodes(): readonly NodeView[] {
    return (this.#nodes ??= [...this.#viewOf.values()].sort((a, b) => compareText(a.name, b.name)));
  }

  nodeOf(engine: Engine): NodeView | undefined {
    return this.#viewOf.get(engine);
  }

  /** The member of that node name, node id or address. */
  engineNamed(nameOrId: string): Engine | undefined {
    return this.#identities.find(nameOrId);
  }

  /** The id and name under which the cluster shows `engine`: they differ from its own where machines were cloned. */
  identityOf(engine: Engine): NodeIdentity {
    return this.#identities.of(engine);
  }

  /** Members that report the same id or name, for the operator. */
  get identityConflicts(): readonly IdentityConflict[] {
    return this.#identities.conflicts();
  }

  /** Changes whenever a member comes or goes, gains or loses its health, or may be called differently. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads what all healthy engines have; those that take longer than `withinMs` are not waited for. Never rejects. */
  async readAgain(withinMs: number): Promise<void> {
    const deadline = new Deadline(withinMs, []);
    await Promise.all(this.healthyEngines.map((engine) => engine.refreshAll(deadline.signal)));
    deadline.clear();
  }

  add(engine: Engine, view: NodeView): void {
    this.#identities.update(engine);
    this.#viewOf.set(engine, view);
    this.#forgetOrder();
  }

  /** To be called last: until then what the engine leaves behind is still known by its name. */
  remove(engine: Engine): void {
    this.#viewOf.delete(engine);
    this.#identities.remove(engine);
    this.#forgetOrder();
  }

  /** To be called when an engine may report another state, id, name or fact of itself. */
  engineChanged(engine: Engine): void {
    this.#revision += 1;
    if (this.#identities.update(engine)) this.#forgetOrder();
    this.#viewOf.get(engine)?.infoChanged();
    this.swarms.forget();
  }

  /** To be called when operators have set something else on these nodes. */
  settingsChanged(nodeIds: readonly string[]): void {
    for (const view of this.#viewOf.values()) if (nodeIds.includes(view.id)) view.infoChanged();
    this.#revision += 1;
  }

  #forgetOrder(): void {
    this.#revision += 1;
    this.#nodes = undefined;
    this.#engines = undefined;
    this.swarms.forget();
    this.#orders.clear();
  }
}
