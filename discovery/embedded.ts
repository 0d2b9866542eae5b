// The manager as its own registry. Agents announce engines for a time; an engine that is not announced again in
// time stays a member and is no longer alive. Only a withdrawal takes it away.
import { readFile } from 'node:fs/promises';
import { badRequest, conflict, errorCode, errorMessage } from '../src/common/errors.ts';
import { TaskSet } from '../src/common/lifecycle.ts';
import type { Logger } from '../src/common/logger.ts';
import { replaceFile } from '../src/common/replace-file.ts';
import { maxFactsBytes, type DiscoveryBackend, type DiscoveryEntry } from './backend.ts';
import { parseAddress, withFacts } from './entry.ts';
import { Membership } from './membership.ts';

export interface EmbeddedRegistryOptions {
  readonly logger: Logger;
  /** Where the members are kept, so that a manager that starts again knows them at once; absent: nowhere. */
  readonly stateFile?: string | undefined;
}

/** No real cluster is larger; a client that invents engines without end is refused. */
const maxMembers = 20_000;
const minTtlMs = 100;
const maxTtlMs = 24 * 60 * 60 * 1000;

/** Made with `openEmbeddedRegistry`; owned by the manager, which stops it. */
export class EmbeddedRegistry implements DiscoveryBackend {
  readonly name = 'embedded';
  readonly #logger: Logger;
  readonly #stateFile: string | undefined;
  readonly #membership = new Membership();
  readonly #members = new Map<string, Member>();
  readonly #tasks: TaskSet;
  #isSaving = false;
  #isUnsaved = false;

  constructor(options: EmbeddedRegistryOptions, addresses: readonly string[]) {
    this.#logger = options.logger.child({ discovery: 'embedded' });
    this.#stateFile = options.stateFile;
    this.#tasks = new TaskSet(this.#logger);
    for (const address of addresses) this.#members.set(address, newMember());
    this.#publish();
  }

  /** The members now, sorted by address. */
  get entries(): readonly DiscoveryEntry[] {
    return this.#membership.entries ?? [];
  }

  /** Aborts when the registry is stopped. */
  get signal(): AbortSignal {
    return this.#tasks.signal;
  }

  watch(signal: AbortSignal): AsyncIterable<readonly DiscoveryEntry[]> {
    return this.#membership.follow(signal);
  }

  /** Throws a 400 when the address, the time or the facts are no good, a 409 when there are too many members. */
  announce({ address: text, alive, facts }: DiscoveryEntry, ttlMs: number): void {
    const address = parseAddress(text);
    if (Buffer.byteLength(facts ?? '') > maxFactsBytes)
      throw badRequest(`invalid facts: more than ${maxFactsBytes} bytes`);
    if (!Number.isInteger(ttlMs) || ttlMs < minTtlMs || ttlMs > maxTtlMs) {
      throw badRequest(`invalid ttlMs: a whole number from ${minTtlMs} to ${maxTtlMs} is accepted`);
    }
    if (this.signal.aborted) throw conflict('the registry is closed');
    const known = this.#members.get(address);
    if (!known && this.#members.size >= maxMembers) throw conflict(`the registry is full: ${maxMembers} engines`);
    const member = known ?? newMember();
    this.#members.set(address, member);
    clearTimeout(member.lapse);
    member.alive = alive;
    member.facts = facts;
    member.lapse = setTimeout(() => {
      this.#lapse(address, member);
    }, ttlMs);
    if (!known) {
      this.#logger.info('an engine joined', { address });
      this.#save();
    }
    this.#publish();
  }

  /** Takes an engine away; one that is not a member is no error. */
  withdraw(text: string): void {
    const address = parseAddress(text);
    const member = this.#members.get(address);
    if (!member) return;
    clearTimeout(member.lapse);
    this.#members.delete(address);
    this.#logger.info('an engine left', { address });
    for (const tell of [...member.followers]) tell();
    this.#publish();
    this.#save();
  }

  register(entry: DiscoveryEntry, ttlMs: number): Promise<void> {
    return Promise.resolve().then(() => {
      this.announce(entry, ttlMs);
    });
  }

  deregister(entry: DiscoveryEntry): Promise<void> {
    return Promise.resolve().then(() => {
      this.withdraw(entry.address);
    });
  }

  /** Calls `tell` once when the engine is withdrawn, until the returned function is called; undefined: no member. */
  onWithdrawn(text: string, tell: () => void): (() => void) | undefined {
    const member = this.#members.get(parseAddress(text));
    if (!member) return undefined;
    member.followers.add(tell);
    return () => {
      member.followers.delete(tell);
    };
  }

  /** Ends the timers and waits until the members are on disk. May be called more than once. */
  async stop(): Promise<void> {
    for (const member of this.#members.values()) clearTimeout(member.lapse);
    await this.#tasks.stop();
  }

  #lapse(address: string, member: Member): void {
    if (member.alive) this.#logger.warn('an engine was not announced again in time', { address });
    member.alive = false;
    this.#publish();
  }

  #publish(): void {
    this.#membership.replace(
      [...this.#members].map(([address, { alive, facts }]) => ({ address, alive, ...withFacts(facts) })),
    );
  }

  /** Writes the members to disk; while a write is under way, one more follows it. */
  #save(): void {
    const path = this.#stateFile;
    if (path === undefined) return;
    this.#isUnsaved = true;
    if (this.#isSaving) return;
    this.#isSaving = true;
    this.#tasks.spawn('save the members', async () => {
      while (this.#isUnsaved) {
        this.#isUnsaved = false;
        await this.#write(path, [...this.#members.keys()]);
      }
      this.#isSaving = false;
    });
  }

  async #write(path: string, addresses: readonly string[]): Promise<void> {
    try {
      await replaceFile(path, `${JSON.stringify({ version: 1, addresses }, undefined, 2)}\n`);
    } catch (error) {
      this.#logger.warn('the members cannot be saved', { path, error: errorMessage(error) });
    }
  }
}

/** A registry that knows the members of its state file; a file that cannot be used is reported and left behind. */
export async function openEmbeddedRegistry(options: EmbeddedRegistryOptions): Promise<EmbeddedRegistry> {
  return new EmbeddedRegistry(options, await loadAddresses(options));
}

interface Member {
  alive: boolean;
  facts: string | undefined;
  lapse: NodeJS.Timeout | undefined;
  readonly followers: Set<() => void>;
}

function newMember(): Member {
  return { alive: false, facts: undefined, lapse: undefined, followers: new Set() };
}

async function loadAddresses({ stateFile, logger }: EmbeddedRegistryOptions): Promise<readonly string[]> {
  if (stateFile === undefined) return [];
  try {
    return parseState(await readFile(stateFile, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    logger.warn('the saved members cannot be read', { path: stateFile, error: errorMessage(error) });
    return [];
  }
}

function parseState(text: string): readonly string[] {
  const state: unknown = JSON.parse(text);
  const addresses: unknown =
    typeof state === 'object' && state !== null && 'addresses' in state ? state.addresses : undefined;
  if (!Array.isArray(addresses)) throw new Error('no list of addresses');
  return addresses.map((address: unknown) => parseAddress(String(address)));
}
