// A real Consul server on the rig's bridge. It speaks to nobody else.
import { mkdirSync, rmSync } from 'node:fs';
import { until } from '../until.ts';
import { httpCall, type HttpAnswer, type HttpCall } from './http-call.ts';
import { searchPath } from './packages.ts';
import { bridgeAddress, stateDirectory, type RigKind } from './rig-kind.ts';
import { RigProcess } from './rig-process.ts';
import type { SecureConsul } from './trust.ts';

export interface ConsulOptions {
  /** Configuration of Consul in its own language, added to the rig's. */
  readonly hcl?: string;
  /** Further flags of `consul agent`. */
  readonly args?: readonly string[];
  /** It speaks TLS alone, and obeys whoever has a token. */
  readonly secure?: SecureConsul | undefined;
}

const port = 8500;
const prefix = 'shoal';

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
    return `consul://${this.address}/${prefix}`;
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
    if (this.#options.secure) await this.#admit(this.#options.secure);
  }

  /** Asks its HTTP API as one who may do everything. */
  async api(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await httpCall({ ...this.#call(method, path), ...(body === undefined ? {} : { body }) });
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
      ...['-dns-port=-1', '-hcl', own],
      ...(this.#options.secure ? ['-hcl', secureHcl(this.#options.secure)] : ['-http-port', String(port)]),
      ...(this.#options.hcl === undefined ? [] : ['-hcl', this.#options.hcl]),
      ...(this.#options.args ?? []),
    ];
  }

  async #isReady(): Promise<boolean> {
    try {
      const { status, text } = await httpCall({ ...this.#call('GET', '/v1/status/leader'), timeoutMs: 2_000 });
      return status === 200 && text.length > 2;
    } catch {
      return false;
    }
  }

  #call(method: string, path: string): HttpCall {
    const { secure } = this.#options;
    if (secure === undefined) return { method, url: `http://${this.address}${path}` };
    const headers = { 'x-consul-token': secure.masterToken };
    return { method, url: `https://${this.address}${path}`, tls: secure.client, headers };
  }

  /** Makes the token of managers and agents, unless the data of an earlier start have it. */
  async #admit({ token }: SecureConsul): Promise<void> {
    const policy = { Name: 'shoal', Rules: rules };
    const admission = { Description: 'of managers and agents', SecretID: token, Policies: [{ Name: policy.Name }] };
    await until('Consul knows its token', async () => {
      if ((await this.api('GET', '/v1/acl/tokens')).text.includes(admission.Description)) return true;
      await this.api('PUT', '/v1/acl/policy', policy);
      return (await this.api('PUT', '/v1/acl/token', admission)).status === 200;
    });
  }
}

/** What the README asks for, and no more. */
const rules = `
  service_prefix "${prefix}" { policy = "write" }
  key_prefix "${prefix}" { policy = "write" }
  session_prefix "" { policy = "write" }
  node_prefix "" { policy = "read" }`;

function secureHcl({ own: { ca, cert, key }, gossipKey, masterToken }: SecureConsul): string {
  return `
    ports { http = -1, https = ${port}, serf_wan = -1, grpc = -1 }
    ca_file = "${ca}"
    cert_file = "${cert}"
    key_file = "${key}"
    verify_incoming = true
    verify_outgoing = true
    encrypt = "${gossipKey}"
    acl { enabled = true, default_policy = "deny", tokens { master = "${masterToken}", agent = "${masterToken}" } }`;
}
