// A real Consul server on the rig's bridge. It speaks to nobody else.
import { mkdirSync, rmSync } from 'node:fs';
import { until } from '../until.ts';
import { httpCall } from './http-call.ts';
import { searchPath } from './packages.ts';
import { bridgeAddress, stateDirectory, type RigKind } from './rig-kind.ts';
import { RigProcess } from './rig-process.ts';

export interface ConsulOptions {
  /** Configuration of Consul in its own language, added to the rig's. */
  readonly hcl?: string;
  /** Further flags of `consul agent`. */
  readonly args?: readonly string[];
}

const port = 8500;

export class RigConsul {
  /** "HOST:PORT" of the HTTP API. */
  readonly address: string;
  readonly #kind: RigKind;
  readonly #options: ConsulOptions;
  readonly #onUnexpectedExit: ((ended: RigProcess) => void) | undefined;
  #server: RigProcess | undefined;

  constructor(kind: RigKind, options: ConsulOptions = {}, onUnexpectedExit?: (ended: RigProcess) => void) {
    this.#kind = kind;
    this.#options = options;
    this.#onUnexpectedExit = onUnexpectedExit;
    this.address = `${bridgeAddress(kind)}:${port}`;
  }

  /** The discovery argument of manager and agents. */
  get url(): string {
    return `consul://${this.address}/shoal`;
  }

  /** Starts it on the data it had, and waits until it has a leader. */
  async start(): Promise<void> {
    mkdirSync(this.#dataDirectory, { recursive: true });
    const server = await RigProcess.start({
      kind: this.#kind,
      name: 'consul',
      command: 'consul',
      args: this.#arguments(),
      env: { PATH: searchPath('consul'), HOME: '/root' },
      logFile: `${stateDirectory(this.#kind)}/consul.log`,
      onUnexpectedExit: this.#onUnexpectedExit,
    });
    this.#server = server;
    await until(
      'Consul has a leader',
      async () => {
        if (!server.isRunning) throw new Error(`consul ended at once:\n${server.logTail()}`);
        return await this.#isReady();
      },
      30_000,
    );
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Starts it again with everything forgotten. */
  async wipe(): Promise<void> {
    await this.kill();
    rmSync(this.#dataDirectory, { recursive: true, force: true });
    await this.start();
  }

  log(): string {
    return this.#server?.log() ?? '';
  }

  get #dataDirectory(): string {
    return `${stateDirectory(this.#kind)}/consul-data`;
  }

  #arguments(): string[] {
    const address = bridgeAddress(this.#kind);
    const own = 'performance { raft_multiplier = 1 } disable_update_check = true';
    return [
      ...['agent', '-server', '-bootstrap-expect=1', '-node=consul', '-disable-host-node-id'],
      ...['-data-dir', this.#dataDirectory, '-bind', address, '-client', address],
      ...['-http-port', String(port), '-dns-port=-1', '-hcl', own],
      ...(this.#options.hcl === undefined ? [] : ['-hcl', this.#options.hcl]),
      ...(this.#options.args ?? []),
    ];
  }

  async #isReady(): Promise<boolean> {
    try {
      const { status, text } = await httpCall({
        method: 'GET',
        url: `http://${this.address}/v1/status/leader`,
        timeoutMs: 2_000,
      });
      return status === 200 && text.length > 2;
    } catch {
      return false;
    }
  }
}
