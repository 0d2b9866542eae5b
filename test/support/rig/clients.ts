// Stock command-line clients pointed at an address: `docker` of several versions with its plugins, and both Composes.
// Their configuration is a folder of the rig, so that nothing of the user's own is read or changed.
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { run, spawnMortal, systemEnvironment, type CommandResult } from './command.ts';
import type { Identity } from './certificates.ts';
import type { Peer } from './http-call.ts';
import { searchPath } from './packages.ts';
import { markVariable, stateDirectory, type RigKind } from './rig-kind.ts';
import { asClient } from './trust.ts';
import { unpackedDirectory } from './unpacked-packages.ts';

export interface ClientOptions {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** 'path' (default) is the `docker` that the PATH leads to; 20.10 is that of the package docker.io. */
  readonly cli?: 'path' | '20.10' | '26.1' | '28.5';
  /** Talks to this "HOST:PORT" instead of the manager. */
  readonly address?: string;
}

const composeV1 = '/usr/bin/docker-compose';

export class Clients {
  readonly #kind: RigKind;
  readonly #address: string;
  readonly #identity: Identity | undefined;

  /** `address`: "HOST:PORT" that the clients talk to, with TLS when there is an `identity`. */
  constructor(kind: RigKind, address: string, identity?: Identity) {
    this.#kind = kind;
    this.#address = address;
    this.#identity = identity;
    this.#installPlugins();
  }

  /** Who answers at "HOST:PORT", a manager or an engine, for calls without a client. */
  peer(address: string): Peer {
    return { address, tls: this.#identity };
  }

  /** Any exit code resolves; a client that exceeds `timeoutMs` (60 s) is killed and rejects. */
  async docker(args: readonly string[], options: ClientOptions = {}): Promise<CommandResult> {
    const { input, timeoutMs, cwd } = options;
    return await run(dockerProgram(options), args, {
      env: this.environment(options),
      ...(input === undefined ? {} : { input }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  /** One line for a shell in which `docker` is the chosen client. As `docker`, it resolves whatever the exit code. */
  async shell(line: string, options: ClientOptions = {}): Promise<CommandResult> {
    const { timeoutMs, cwd } = options;
    const env = this.environment(options);
    return await run('sh', ['-c', line], {
      env: { ...env, PATH: `${this.#folderOf(dockerProgram(options))}${env['PATH'] ?? ''}` },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  /** With pipes for stdin, stdout and stderr; it is the caller's to end. */
  spawnDocker(args: readonly string[], options: ClientOptions = {}): ChildProcess {
    return this.#spawn(dockerProgram(options), args, options);
  }

  /** 'v2' is the plugin of the docker client, 'v1' the old program `docker-compose`. */
  async compose(version: 'v1' | 'v2', args: readonly string[], options: ClientOptions = {}): Promise<CommandResult> {
    const patient = { timeoutMs: 120_000, ...options };
    if (version === 'v2') return await this.docker(['compose', ...args], patient);
    const { input, timeoutMs, cwd } = patient;
    return await run(composeV1, args, {
      env: this.environment(options),
      timeoutMs,
      ...(input === undefined ? {} : { input }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  /** As `spawnDocker`. */
  spawnCompose(version: 'v1' | 'v2', args: readonly string[], options: ClientOptions = {}): ChildProcess {
    return version === 'v2' ? this.spawnDocker(['compose', ...args], options) : this.#spawn(composeV1, args, options);
  }

  /** For programs of a test's own that speak to the same address, a terminal for instance. */
  environment(options: ClientOptions = {}): NodeJS.ProcessEnv {
    const clean = Object.entries(systemEnvironment()).filter(
      // Python's client would believe the authorities of such a bundle in place of the cluster's.
      ([name]) => !/^((DOCKER|COMPOSE|BUILDX|BUILDKIT)_|(REQUESTS|CURL)_CA_BUNDLE$)/.test(name),
    );
    const host = options.env?.['DOCKER_HOST'] ?? `tcp://${options.address ?? this.#address}`;
    return {
      ...Object.fromEntries(clean),
      // Unix sockets are plain.
      ...(this.#identity && host.startsWith('tcp:') && asClient(this.#identity)),
      DOCKER_HOST: host,
      DOCKER_CONFIG: this.#configDirectory,
      DOCKER_CLI_HINTS: 'false',
      [markVariable]: this.#kind.name,
      ...options.env,
    };
  }

  #spawn(program: string, args: readonly string[], options: ClientOptions): ChildProcess {
    const { cwd } = options;
    return spawnMortal(program, args, {
      env: this.environment(options),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  /** A place on the PATH that has nothing but this client; none for the one that the PATH leads to. */
  #folderOf(program: string): string {
    if (!program.startsWith('/')) return '';
    const folder = `${stateDirectory(this.#kind)}/client${program.replaceAll('/', '-')}`;
    mkdirSync(folder, { recursive: true });
    if (!existsSync(`${folder}/docker`)) symlinkSync(program, `${folder}/docker`);
    return `${folder}:`;
  }

  get #configDirectory(): string {
    return `${stateDirectory(this.#kind)}/docker-config`;
  }

  #installPlugins(): void {
    const plugins = `${this.#configDirectory}/cli-plugins`;
    mkdirSync(plugins, { recursive: true });
    const sources = [
      `${unpackedDirectory('buildx')}/usr/libexec/docker/cli-plugins/docker-buildx`,
      `${unpackedDirectory('compose-v2')}/usr/libexec/docker/cli-plugins/docker-compose`,
    ];
    for (const source of sources) {
      if (existsSync(source)) copyFileSync(source, `${plugins}/${source.split('/').at(-1) ?? ''}`);
    }
  }
}

function dockerProgram({ cli = 'path' }: ClientOptions): string {
  switch (cli) {
    case 'path':
      return 'docker';
    case '20.10':
      return '/usr/bin/docker';
    case '26.1':
    case '28.5':
      return `${searchPath(`engine-${cli}`).split(':')[1] ?? ''}/docker`;
  }
}
