// One node of a rig: a set of namespaces (network, processes, mounts, host name) held by one process. Killing that
// process is pulling the plug: the kernel takes every process, mount and link of the node with it.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { until } from '../until.ts';
import { run, runOrThrow, systemEnvironment } from './command.ts';
import { thaw } from './frozen.ts';
import { RigProcess, type RigProcessOptions } from './rig-process.ts';
import {
  bridgeAddress,
  bridgeName,
  cgroupParent,
  nodeAddress,
  nodeLinkName,
  stateDirectory,
  type RigKind,
} from './rig-kind.ts';

// Arguments: folder, host name, folder of /etc/docker. The shell stays and reaps whatever loses its parent.
const initScript = `
set -e
hostname "$2"
mount -t tmpfs tmpfs /run
resolv=$(readlink -f /etc/resolv.conf || echo /etc/resolv.conf)
mkdir -p "$(dirname "$resolv")"
[ -e "$resolv" ] || : > "$resolv"
mount --bind "$1/resolv.conf" "$resolv"
mount --bind "$3" /etc/docker
mount --bind "$1/docker" /var/lib/docker
: > "$1/booted"
while :; do sleep 3600 & wait; done
`;

export interface MachineOptions {
  readonly kind: RigKind;
  /** Counts from 1. */
  readonly number: number;
  /** Machines that share this folder are clones: an engine keeps its identity there. */
  readonly engineConfigDirectory?: string | undefined;
  /** Its engine's data lie on a disk of this size, which outlives the machine as all disks do; absent: on that of the rig. */
  readonly diskMiB?: number | undefined;
}

export type MachineProcess = Pick<RigProcessOptions, 'name' | 'command' | 'args' | 'env' | 'onUnexpectedExit'>;

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly directory: string;
  readonly kind: RigKind;
  readonly #engineConfigDirectory: string;
  readonly #number: number;
  readonly #diskMiB: number | undefined;
  #hasDisk = false;
  #init: RigProcess | undefined;

  constructor({ kind, number, engineConfigDirectory, diskMiB }: MachineOptions) {
    this.kind = kind;
    this.#number = number;
    this.#diskMiB = diskMiB;
    this.name = `node-${number}`;
    this.address = nodeAddress(kind, number);
    this.directory = `${stateDirectory(kind)}/${this.name}`;
    this.#engineConfigDirectory = engineConfigDirectory ?? `${this.directory}/etc-docker`;
  }

  get isOn(): boolean {
    return this.#init?.isRunning ?? false;
  }

  /** The process whose namespaces are this machine's, for nsenter. */
  get pid(): number {
    if (!this.#init) throw new Error(`${this.name} is off`);
    return this.#init.pid;
  }

  async boot(): Promise<void> {
    for (const directory of [this.engineDataDirectory, this.#engineConfigDirectory, '/etc/docker', '/var/lib/docker']) {
      mkdirSync(directory, { recursive: true });
    }
    await this.#provideDisk();
    rmSync(`${this.directory}/booted`, { force: true });
    writeFileSync(
      `${this.directory}/resolv.conf`,
      `nameserver ${bridgeAddress(this.kind)}\noptions attempts:1 timeout:1\n`,
    );
    const init = await this.#startInit();
    this.#init = init;
    await this.#plugIn();
    await until(`${this.name} has booted`, () => {
      if (!init.isRunning) throw new Error(`${this.name} did not boot:\n${init.logTail()}`);
      return existsSync(`${this.directory}/booted`);
    });
  }

  /** As if the plug were pulled: nothing on the machine gets a chance to react. Its disk stays. */
  async powerOff(): Promise<void> {
    const init = this.#init;
    if (!init) return;
    this.#init = undefined;
    const dead = init.kill();
    thaw(this.cgroupParent);
    await dead;
    // Waiting for the kernel to do it would let a quick boot find the old link.
    await run('ip', ['link', 'delete', this.#link]);
  }

  /** No packet leaves or reaches the machine from now on; connections hang, nobody is told. */
  async cutOff(): Promise<void> {
    await runOrThrow('ip', ['link', 'set', this.#link, 'down']);
  }

  async reconnect(): Promise<void> {
    await runOrThrow('ip', ['link', 'set', this.#link, 'up']);
  }

  /** A process on this machine; it dies with it. Its log is named after it. */
  async start(options: MachineProcess): Promise<RigProcess> {
    return await RigProcess.start({
      ...options,
      kind: this.kind,
      name: `${options.name} on ${this.name}`,
      command: 'nsenter',
      args: [...this.#enter, '--', options.command, ...options.args],
      logFile: `${this.directory}/${options.name}.log`,
      target: 'child',
    });
  }

  /** What the engine on this machine keeps, as seen from outside. */
  get engineDataDirectory(): string {
    return `${this.directory}/docker`;
  }

  /** Where the engine puts its containers, so that what a killed one leaves is found by name. */
  get cgroupParent(): string {
    return `${cgroupParent(this.kind)}/${this.name}`;
  }

  async #provideDisk(): Promise<void> {
    if (this.#diskMiB === undefined || this.#hasDisk) return;
    await runOrThrow('mount', ['-t', 'tmpfs', '-o', `size=${this.#diskMiB}m`, 'tmpfs', this.engineDataDirectory]);
    this.#hasDisk = true;
  }

  get #link(): string {
    return nodeLinkName(this.kind, this.#number);
  }

  /** Kept over a power cycle as a real card's is; the others would go on sending to the old one for a while. */
  get #hardwareAddress(): string {
    const bytes = this.address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
    return ['02', '42', ...bytes].join(':');
  }

  get #enter(): string[] {
    return ['--target', String(this.pid), '--net', '--uts', '--ipc', '--mount', '--pid'];
  }

  async #startInit(): Promise<RigProcess> {
    const namespaces = ['--net', '--uts', '--ipc', '--mount', '--pid', '--mount-proc', '--propagation', 'private'];
    return await RigProcess.start({
      kind: this.kind,
      name: this.name,
      command: 'unshare',
      args: [
        ...[...namespaces, '--fork', '--kill-child=SIGKILL', '--'],
        ...['sh', '-c', initScript, 'init', this.directory, this.name, this.#engineConfigDirectory],
      ],
      env: { PATH: systemEnvironment()['PATH'] },
      logFile: `${this.directory}/init.log`,
      target: 'child',
    });
  }

  async #plugIn(): Promise<void> {
    const eth0 = ['name', 'eth0', 'address', this.#hardwareAddress, 'netns', String(this.pid)];
    await runOrThrow('ip', ['link', 'add', this.#link, 'type', 'veth', 'peer', ...eth0]);
    await runOrThrow('ip', ['link', 'set', this.#link, 'master', bridgeName(this.kind), 'up']);
    const inside = [
      `ip address add ${this.address}/24 dev eth0`,
      'ip link set lo up',
      'ip link set eth0 up',
      `ip route add default via ${bridgeAddress(this.kind)}`,
    ];
    await runOrThrow('nsenter', ['--target', String(this.pid), '--net', 'sh', '-ec', inside.join('\n')]);
  }
}
