// Creates that carry a key: a client that lost the answer to one asks again and gets the same container. The key is
// kept on the container as a label, so that it outlives the manager; while a create is under way or in doubt, it is kept here.
import { orAborted } from '../../common/abort.ts';
import { ApiError } from '../../common/errors.ts';
import { textMapMember, withGoMember } from '../../docker/go-member.ts';
import type { ContainerCreateCall, CreatedContainer } from '../calls.ts';
import type { ContainerIndex } from '../index/container-index.ts';
import type { ContainerLocation } from '../locations.ts';
import { idempotencyLabel, swarmIdLabel } from '../swarm-labels.ts';

type Create = (call: ContainerCreateCall) => Promise<CreatedContainer>;

/** In lower case, as headers are kept. */
const header = 'idempotency-key';

export class IdempotentCreates {
  readonly #containers: ContainerIndex;
  readonly #create: Create;
  /** By key and name. */
  readonly #open = new Map<string, Promise<CreatedContainer>>();

  constructor(containers: ContainerIndex, create: Create) {
    this.#containers = containers;
    this.#create = create;
  }

  /** As `create`; for a call with a key the container that an earlier one made, if there is one of that name or the call names none. */
  async create(call: ContainerCreateCall): Promise<CreatedContainer> {
    const key = call.headers[header] ?? textMapMember(call.body, 'Labels')[idempotencyLabel] ?? '';
    if (key === '') return await this.#create(call);
    const name = call.name?.replace(/^\//, '') ?? '';
    const slot = `${key}\n${name}`;
    for (;;) {
      const made = this.#find(key, name);
      if (made !== undefined) return { engine: made.engine, id: made.record.id, warnings: [] };
      const earlier = this.#open.get(slot);
      if (earlier === undefined) return await this.#begin(slot, withKey(call, key));
      const outcome = await orAborted(Promise.allSettled([earlier]), call.signal);
      if (this.#open.get(slot) !== earlier) continue;
      const [{ status }] = outcome;
      if (status === 'fulfilled') return await earlier;
      throw new ApiError(503, 'whether an earlier create with this key made a container is not known yet: try again');
    }
  }

  /** For a create that a manager before this one has begun: calls with that key are 503 until the result is called. */
  hold(key: string, name: string): () => void {
    const slot = `${key}\n${name}`;
    if (key === '' || this.#open.has(slot)) return () => undefined;
    const unknown = Promise.reject<CreatedContainer>(new Error('begun by another manager'));
    unknown.catch(() => undefined);
    this.#open.set(slot, unknown);
    return () => {
      this.#open.delete(slot);
    };
  }

  #begin(slot: string, call: ContainerCreateCall): Promise<CreatedContainer> {
    let isInDoubt = false;
    const forget = (): void => {
      this.#open.delete(slot);
    };
    const begins = (): void => {
      isInDoubt = true;
    };
    const work = this.#create({ ...call, doubt: { begins, ends: forget } }).finally(() => {
      if (!isInDoubt) forget();
    });
    this.#open.set(slot, work);
    return work;
  }

  #find(key: string, name: string): ContainerLocation | undefined {
    for (const location of this.#containers.all()) {
      const { row, name: itsName } = location.record;
      if (row.Labels?.[idempotencyLabel] !== key || (name !== '' && itsName !== name)) continue;
      // Of several copies, one of which took the place of the others, the one that counts.
      return this.#containers.find(row.Labels[swarmIdLabel] ?? '') ?? location;
    }
    return undefined;
  }
}

function withKey(call: ContainerCreateCall, key: string): ContainerCreateCall {
  const labels = { ...textMapMember(call.body, 'Labels'), [idempotencyLabel]: key };
  return { ...call, body: withGoMember(call.body, 'Labels', labels) };
}
