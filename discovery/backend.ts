// The contract between managers, agents and the places where they meet. Nothing else lives here.

/** An engine as it was announced. */
export interface DiscoveryEntry {
  /** `host:port` where a manager reaches the engine; an IPv6 host stands in brackets. The key of an entry. */
  readonly address: string;
  /**
   * True while the announcer vouches for the engine, false when it is announced and known not to answer or not
   * to be refreshed in time. Backends without liveness of their own always say true. A false entry stays a member.
   */
  readonly alive: boolean;
  /**
   * True when the store knows nothing of the engine any more though nobody withdrew it: it was wiped, or the time of an
   * announcement lapsed where nothing stays of it. Such an entry is a memory of this watcher, and never alive.
   */
  readonly missing?: boolean;
  /**
   * What the announcer says about the node, for the manager alone: text of at most 4 KB that no backend reads. It stays
   * with an entry that is no longer alive. A change of it is a change of the membership.
   */
  readonly facts?: string;
}

/** A port that a container publishes, as a service that others look up. */
export interface PublishedService {
  /** Unique on its engine, and the same for as long as the container publishes that port. */
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** An IPv6 address stands without brackets. */
  readonly host: string;
  readonly port: number;
  /** Why nobody should be sent there now; undefined: all is well. */
  readonly trouble: string | undefined;
}

/** Longer facts are refused. */
export const maxFactsBytes = 4 * 1024;

/** A place where agents announce engines and managers learn about them. */
export interface DiscoveryBackend {
  /** The scheme, for messages: "consul". */
  readonly name: string;
  /** Since when the store has not answered `watch`; undefined while it answers, and where none can fail. */
  readonly silentSince?: Date | undefined;
  /**
   * Yields the complete membership: once as it is now, then after every real change. Trouble with the store is
   * retried inside and never shows as an empty set. Ends without throwing when `signal` aborts.
   */
  watch(signal: AbortSignal): AsyncIterable<readonly DiscoveryEntry[]>;
  /**
   * Announces an engine for `ttlMs`; the agent repeats the call before that time is over. An entry with `alive`
   * false says that the engine is there and does not answer, and shows at once, sooner than its time lapses.
   */
  register(entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void>;
  /** Withdraws an announcement on orderly shutdown; after a crash the TTL does it. */
  deregister(entry: DiscoveryEntry, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the store may have forgotten `entry`, so that the agent announces it again at once; resolves too
   * when `signal` aborts, and never rejects. Absent: the store gives no sign, only the next announcement mends it.
   */
  untilLost?(entry: DiscoveryEntry, signal: AbortSignal): Promise<void>;
  /**
   * Makes exactly `services` stand beside the engine at `address`, vouched for as it is itself; they go when that is
   * withdrawn, or has vanished for minutes. Resolves with false where it did nothing, as the engine is not announced. Asks
   * nobody when nothing has changed: to be called again and again. Absent: the store has no services.
   */
  publish?(address: string, services: readonly PublishedService[], signal: AbortSignal): Promise<boolean>;
}
