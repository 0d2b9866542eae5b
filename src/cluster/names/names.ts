// Container names are unique over the cluster, those of creates and renames under way included. Looking a name up
// and reserving it happen in one go, so two requests never get the same one.
import { ApiError, badRequest, conflict } from '../../common/errors.ts';
import { checkContainerName } from '../../docker/container-name.ts';
import { bearerId, type ContainerIndex } from '../index/container-index.ts';
import type { ContainerLocation } from '../locations.ts';
import type { UnseenNodes } from './unseen-nodes.ts';

export interface NameReservation {
  /** Without the leading slash. */
  readonly name: string;
  /** Gives the name back; from then on only the mirror decides. May be called more than once. */
  release(): void;
}

export class ContainerNames {
  readonly #containers: ContainerIndex;
  readonly #unseen: UnseenNodes;
  readonly #reserved = new Map<string, string>();

  constructor(containers: ContainerIndex, unseen: UnseenNodes) {
    this.#containers = containers;
    this.#unseen = unseen;
  }

  /**
   * Keeps `name` from everyone else until released. `holder` is shown to those who ask for it meanwhile: the id by
   * which the container under way can be found; copies of the same container do not count. Throws 409 as dockerd when
   * the name is taken, 503 when it may be.
   */
  reserve(name: string, holder: string): NameReservation {
    this.#assertNotTaken(name, holder);
    this.#unseen.assertFree('container', name);
    return this.#keep(name, holder);
  }

  /** As `reserve`, for a container that takes the place of one on a node that was perhaps never seen. */
  inherit(name: string, holder: string): NameReservation {
    this.#assertNotTaken(name, holder);
    return this.#keep(name, holder);
  }

  /** As `reserve`, with dockerd's checks of the new name. */
  reserveForRename(location: ContainerLocation, newName: string): NameReservation {
    if (newName === '') throw badRequest('Neither old nor new names may be empty');
    if (withoutSlash(newName) === location.record.name) {
      throw badRequest('Renaming a container with the same name as its current name');
    }
    try {
      return this.reserve(checkContainerName(`/${withoutSlash(newName)}`), location.record.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new ApiError(error.status, `Error when allocating new name: ${error.message}`, { cause: error });
    }
  }

  /** Keeps `name` from everyone until the result is called, whoever has it now. '' is nobody's. */
  hold(name: string, holder: string): () => void {
    if (name === '' || this.#reserved.has(name)) return () => undefined;
    const reservation = this.#keep(name, holder);
    return () => {
      reservation.release();
    };
  }

  #assertNotTaken(name: string, holder: string): void {
    const owners = this.#containers.named(name).filter(({ record }) => bearerId(record) !== holder);
    const owner = owners[0]?.record.id ?? this.#reserved.get(name);
    if (owner !== undefined) throw nameTaken(name, owner);
  }

  #keep(name: string, holder: string): NameReservation {
    this.#reserved.set(name, holder);
    let isHeld = true;
    return {
      name,
      release: () => {
        if (isHeld) this.#reserved.delete(name);
        isHeld = false;
      },
    };
  }
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}

function nameTaken(name: string, owner: string): ApiError {
  return conflict(
    `Conflict. The container name "/${name}" is already in use by container "${owner}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );
}
