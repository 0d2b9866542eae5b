// What the manager tells the API about itself: constants of the process and words for `version` and `info`.
// Read-only here; the manager builds one at start.

export interface ApiSettings {
  /** The product's own version, as `/version` and the `Server` header show it. */
  readonly version: string;
  readonly gitCommit: string;
  /** RFC 3339. */
  readonly buildTime: string;
  /** The name that `info` shows for the virtual host. */
  readonly hostName: string;
  /** "spread", "binpack", "random": for `info`. */
  readonly strategy: string;
  /** The names of the filters in use: for `info`. */
  readonly filters: readonly string[];
  /** Containers are named `/node/name` only, as classicswarm did, instead of `/name` first. */
  readonly prefixesNamesWithNode: boolean;
  /** "primary" or "replica", with the primary's address where it is known. */
  role(): { readonly name: string; readonly primary?: string };
  /** What an operator should know just now, one sentence each: an unreachable store, equal engine ids. */
  warnings(): readonly string[];
}
