// A real Docker engine on a machine of the rig, with the ways in which engines fail: killed, hung, cut off, powered off.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { until } from '../until.ts';
import { busyboxImageArchive } from './busybox-image.ts';
import type { Identity } from './certificates.ts';
import { httpCall, type HttpAnswer, type HttpCall } from './http-call.ts';
import { Machine } from './machine.ts';
import { searchPath } from './packages.ts';
import { stateDirectory, type RigKind } from './rig-kind.ts';
import type { RigProcess } from './rig-process.ts';

/** '20.10' is the engine of the machine's own packages, which is that version on Debian 12. */
export type EngineRelease = '20.10' | '26.1' | '28.5';

export interface EngineOptions {
  readonly release?: EngineRelease;
  /** "key=value", as `dockerd --label`. */
  readonly labels?: readonly string[];
  /** Engines with this have one and the same id, as on machines cloned from one disk. */
  readonly sharedKey?: boolean;
  /** Containers survive the engine's end. */
  readonly liveRestore?: boolean;
  /** The engine's certificate, and the one with which the rig asks it: it then speaks TLS and believes no stranger. */
  readonly tls?: { readonly own: Identity; readonly client: Identity };
  /** The engine listens on its unix socket alone; its agent has to open it. */
  readonly isClosed?: true;
  /** The engine's data lie on a small disk of their own. */
  readonly diskMiB?: number;
  /** Further flags of dockerd. */
  readonly args?: readonly string[];
  /** Busybox is loaded unless this says otherwise. */
  readonly images?: 'busybox' | 'none';
}

const enginePort = 2375;

export class RigEngine {
  readonly name: string;
  /** "HOST:PORT". */
  readonly address: string;
  readonly release: EngineRelease;
  readonly machine: Machine;
  readonly #options: EngineOptions;
  readonly #onUnexpectedExit: ((ended: RigProcess) => void) | undefined;
  #daemon: RigProcess | undefined;

  constructor(
    place: { readonly kind: RigKind; readonly number: number },
    options: EngineOptions,
    onUnexpectedExit?: (ended: RigProcess) => void,
  ) {
    this.machine = new Machine({
      ...place,
      engineConfigDirectory: options.sharedKey ? `${stateDirectory(place.kind)}/shared-etc-docker` : undefined,
      diskMiB: options.diskMiB,
    });
    this.name = this.machine.name;
    this.address = `${this.machine.address}:${enginePort}`;
    this.release = options.release ?? '20.10';
    this.#options = options;
    this.#onUnexpectedExit = onUnexpectedExit;
  }

  /** Whether its agent is the only way to it. */
  get isClosed(): boolean {
    return this.#options.isClosed ?? false;
  }

  /** Flags of an agent without which nobody reaches the engine. */
  get agentArgs(): readonly string[] {
    // The machines of a rig share one disk.
    return this.#options.isClosed ? ['--listen', this.address, '--state-dir', `${this.machine.directory}/shoal`] : [];
  }

  /** The process id of dockerd. */
  get pid(): number {
    return this.#running.pid;
  }

  /** Boots the machine when it is off, starts dockerd and waits until it answers. */
  async start(): Promise<void> {
    if (!this.machine.isOn) await this.machine.boot();
    // One left by SIGKILL may hold the id of another process by now, and dockerd would refuse to start.
    rmSync(this.#pidFile, { force: true });
    if (this.#options.sharedKey) this.#shareIdentity();
    const daemon = await this.machine.start({
      name: 'dockerd',
      command: 'dockerd',
      args: this.#arguments(),
      env: { PATH: searchPath(`engine-${this.release}`), HOME: '/root' },
      onUnexpectedExit: this.#onUnexpectedExit,
    });
    this.#daemon = daemon;
    await until(
      `${daemon.name} answers`,
      async () => {
        if (!daemon.isRunning) throw new Error(`${daemon.name} ended at once:\n${daemon.logTail()}`);
        return await this.isAnswering();
      },
      30_000,
    );
    if (this.#options.sharedKey) await this.#rememberIdentity();
  }

  async loadImage(): Promise<void> {
    if (this.#options.images === 'none') return;
    const file = await busyboxImageArchive();
    const answer = await this.apiUpload('POST', '/images/load?quiet=1', file);
    if (answer.status !== 200) throw new Error(`${this.name} does not load the busybox image: ${answer.text}`);
  }

  async isAnswering(): Promise<boolean> {
    try {
      const { status } = await httpCall({ ...this.#call('GET', '/_ping'), timeoutMs: 2_000 });
      return status === 200;
    } catch {
      return false;
    }
  }

  /** Asks this engine itself, not through the manager. */
  async api(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await httpCall({ ...this.#call(method, path), ...(body === undefined ? {} : { body }) });
  }

  async apiUpload(method: string, path: string, file: string): Promise<HttpAnswer> {
    return await httpCall({ ...this.#call(method, path), file });
  }

  /** SIGKILL to dockerd alone; the processes of containers stay on the machine until it starts again. */
  async kill(): Promise<void> {
    await this.#running.kill();
  }

  /** SIGTERM: dockerd stops its containers and ends. */
  async term(): Promise<void> {
    await this.#running.stop(30_000);
  }

  /** SIGSTOP: connections are accepted by the kernel, and nothing is ever answered. */
  stop(): void {
    this.#running.signal('SIGSTOP');
  }

  /** SIGCONT. */
  cont(): void {
    this.#running.signal('SIGCONT');
  }

  /** Starts a dead engine, or ends a living one first. Images and containers on its disk are kept. */
  async restart(): Promise<void> {
    if (this.#daemon?.isRunning) await this.term();
    await this.start();
  }

  /** No packet passes any more, to the engine and to all else on its machine; nobody is told. */
  async cutOff(): Promise<void> {
    await this.machine.cutOff();
  }

  async reconnect(): Promise<void> {
    await this.machine.reconnect();
  }

  /** The engine, its containers and its agent are gone at once. `restart` boots the machine again. */
  async powerOff(): Promise<void> {
    this.#daemon?.signal('SIGKILL');
    await this.machine.powerOff();
  }

  log(): string {
    return this.#running.log();
  }

  get #running(): RigProcess {
    if (!this.#daemon) throw new Error(`the engine on ${this.name} has not been started`);
    return this.#daemon;
  }

  #call(method: string, path: string): HttpCall {
    const { tls, isClosed } = this.#options;
    const socketPath = isClosed && `/proc/${this.machine.pid}/root/run/docker.sock`;
    if (socketPath !== undefined) return { method, url: `http://localhost${path}`, socketPath };
    return { method, url: `${tls ? 'https' : 'http'}://${this.address}${path}`, tls: tls?.client };
  }

  get #pidFile(): string {
    return `${this.machine.directory}/docker.pid`;
  }

  #arguments(): string[] {
    const { labels = [], liveRestore = false, isClosed = false, args = [] } = this.#options;
    return [
      ...(isClosed ? [] : ['--host', `tcp://${this.address}`, ...this.#tlsArguments()]),
      ...['--host', 'unix:///var/run/docker.sock'],
      ...['--pidfile', this.#pidFile, '--cgroup-parent', this.machine.cgroupParent],
      ...['--insecure-registry', `${this.machine.kind.subnet}.0/24`],
      ...labels.flatMap((label) => ['--label', label]),
      ...(liveRestore ? ['--live-restore'] : []),
      ...args,
    ];
  }

  #tlsArguments(): string[] {
    const own = this.#options.tls?.own;
    if (own === undefined) return ['--tls=false'];
    return ['--tlsverify', '--tlscacert', own.ca, '--tlscert', own.cert, '--tlskey', own.key];
  }

  /** Engines before 25 keep their id in /etc/docker, which clones share; newer ones keep it beside their images. */
  #shareIdentity(): void {
    const id = readIfPresent(this.#sharedIdFile);
    if (id !== undefined) writeFileSync(`${this.machine.directory}/docker/engine-id`, id);
  }

  async #rememberIdentity(): Promise<void> {
    const { json } = await this.api('GET', '/info');
    if (typeof json === 'object' && json !== null && 'ID' in json) writeFileSync(this.#sharedIdFile, String(json.ID));
  }

  get #sharedIdFile(): string {
    return `${stateDirectory(this.machine.kind)}/shared-engine-id`;
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
