// Plays one project with one Compose against one address, a step at a time. Each step answers with what a user sees of
// it, freed of chance, so that two players in step can be compared.
import { cpSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { field, text } from '../document.ts';
import type { Clients } from '../rig/clients.ts';
import type { CommandResult } from '../rig/command.ts';
import type { RigEngine } from '../rig/engine.ts';
import { corpusDirectory, type ComposeVersion, type Project } from './projects.ts';
import {
  cleaner,
  containersOf,
  isSettled,
  snapshotOf,
  statesOf,
  type Plain,
  type ProjectContainer,
} from './snapshot.ts';

export interface Target {
  /** "HOST:PORT". */
  readonly address: string;
  readonly engines: readonly RigEngine[];
}

const settleLimitMs = 30_000;
const logsLimitMs = 8_000;

export class Player {
  readonly #clients: Clients;
  readonly #target: Target;
  readonly #project: Project;
  readonly #version: ComposeVersion;
  readonly #folder: string;

  /** `folder`: of a copy of the project that both players share, as its path is part of what is compared. */
  constructor(
    clients: Clients,
    target: Target,
    { project, version, folder }: { project: Project; version: ComposeVersion; folder: string },
  ) {
    this.#clients = clients;
    this.#target = target;
    this.#project = project;
    this.#version = version;
    this.#folder = folder;
  }

  get projectName(): string {
    return `corpus-${this.#project.name}`;
  }

  async compose(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    const files = ['compose.yaml', ...this.#project.overrides].flatMap((file) => ['-f', file]);
    return await this.#clients.compose(this.#version, ['-p', this.projectName, ...files, ...args], {
      address: this.#target.address,
      cwd: this.#folder,
      env,
    });
  }

  async config(): Promise<Plain> {
    const { code, stdout } = await this.compose(['config']);
    return { code, stdout };
  }

  async prepare(): Promise<Plain> {
    return await this.#docker(this.#project.before);
  }

  async tidy(): Promise<Plain> {
    return await this.#docker(this.#project.after);
  }

  async build(): Promise<Plain> {
    return this.#project.builds ? outcome(await this.compose(['build'])) : null;
  }

  /** What it recreated stands by the names of containers, those that are new beside. */
  async up(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Plain> {
    const before = await this.#containers();
    const result = await this.compose(['up', '-d', ...args], env);
    const after = await this.#settled();
    const known = new Map(before.map(({ name, id }) => [name, id]));
    return {
      ...outcome(result),
      recreated: after.filter(({ name, id }) => known.has(name) && known.get(name) !== id).map(({ name }) => name),
      created: after.filter(({ name }) => !known.has(name)).map(({ name }) => name),
      removed: before.filter(({ name }) => !after.some((one) => one.name === name)).map(({ name }) => name),
      states: statesOf(after),
    };
  }

  async state(): Promise<Plain> {
    return await snapshotOf(this.#clients.peer(this.#target.address), this.projectName);
  }

  /** The words that it prints, wherever they stand. */
  async ps(): Promise<Plain> {
    const result = await this.compose(['ps', '-a', ...(this.#version === 'v2' ? ['--format', psFormat] : [])]);
    const words = result.stdout.split(this.#version === 'v2' ? '\n' : /\s+/).map(withoutAddress);
    return { ...outcome(result), words: [...new Set(words)].filter((word) => /[^-]/.test(word)).sort() };
  }

  /** The different lines of each container, once every container has said something. */
  async logs(): Promise<Plain> {
    const containers = await this.#containers();
    const expected = containers.filter(({ document }) => field(document, 'HostConfig', 'LogConfig', 'Type') !== 'none');
    const isComplete = ({ stdout }: CommandResult): boolean => {
      const heads = new Set(stdout.split('\n').map((line) => line.split('|')[0]?.trim()));
      const shown = (name: string): string => name.replace(`${this.projectName}${this.#separator}`, '');
      return expected.every(({ name }) => heads.has(name) || heads.has(shown(name)));
    };
    const deadline = performance.now() + logsLimitMs;
    let result = await this.compose(['logs', '--no-color']);
    while (result.code === 0 && !isComplete(result) && performance.now() < deadline) {
      await delay(200);
      result = await this.compose(['logs', '--no-color']);
    }
    const lines = result.stdout.split('\n').map((line) => line.replace(/ +\| ?/, ' | ').trimEnd());
    const said = lines.filter((line) => line.includes(' | '));
    return cleaner(containers)({ code: result.code, lines: [...new Set(said)].sort() });
  }

  async exec(): Promise<Plain> {
    const containers = await this.#containers();
    const service = this.#changed(containers);
    const script = 'echo $COLOUR; pwd; id -u; exit 7';
    const result = await this.compose(['exec', '-T', service, 'sh', '-c', script]);
    return { code: result.code, stdout: result.stdout };
  }

  /** By which names each container reaches which others. */
  async reach(): Promise<Plain> {
    const containers = (await this.#containers()).filter(
      ({ document }) => field(document, 'State', 'Running') === true,
    );
    const names = [...new Set(containers.flatMap(namesOf))].sort();
    const script = 'for name; do (ping -c 1 -W 2 "$name" > /dev/null 2>&1 && echo "$name") & done; wait';
    const reached = await Promise.all(
      containers.map(async ({ name }) => {
        const command = ['exec', '--user', '0', name, 'sh', '-c', script, 'sh', ...names];
        const { stdout } = await this.#clients.docker(command, { address: this.#target.address });
        return [
          name,
          stdout
            .split('\n')
            .filter((line) => line !== '')
            .sort(),
        ] as const;
      }),
    );
    return Object.fromEntries(reached);
  }

  async scale(): Promise<Plain> {
    const { scaled } = this.#project;
    if (scaled === 'none') return null;
    const result = await this.compose(['scale', `${scaled}=3`]);
    return { ...outcome(result), states: statesOf(await this.#settled()) };
  }

  async restart(): Promise<Plain> {
    const { restartedInTurn: inTurn } = this.#project;
    const results: Plain[] = [];
    for (const services of inTurn.length === 0 ? [[]] : inTurn.map((service) => [service])) {
      results.push(outcome(await this.compose(['restart', '-t', '1', ...services])));
    }
    return { results, states: statesOf(await this.#settled()) };
  }

  async stop(): Promise<Plain> {
    const result = await this.compose(['stop', '-t', '1']);
    return { ...outcome(result), states: statesOf(await this.#containers()) };
  }

  async down(): Promise<Plain> {
    const result = await this.compose(['down', '-v', '-t', '1']);
    return { ...outcome(result), left: await this.#leftovers() };
  }

  get #separator(): string {
    return this.#version === 'v1' ? '_' : '-';
  }

  async #docker(commands: readonly (readonly string[])[]): Promise<Plain> {
    const codes: number[] = [];
    for (const command of commands) {
      codes.push((await this.#clients.docker(command, { address: this.#target.address })).code);
    }
    return codes;
  }

  async #containers(): Promise<readonly ProjectContainer[]> {
    return await containersOf(this.#clients.peer(this.#target.address), this.projectName);
  }

  /** What it is after a while, when it does not settle: the comparison shows it then. */
  async #settled(): Promise<readonly ProjectContainer[]> {
    const deadline = performance.now() + settleLimitMs;
    let containers = await this.#containers();
    while (!containers.every((container) => isSettled(container, this.#project.ends)) && performance.now() < deadline) {
      await delay(100);
      containers = await this.#containers();
    }
    return containers;
  }

  #changed(containers: readonly ProjectContainer[]): string {
    const found = containers.find(({ document }) =>
      (field(document, 'Config', 'Env') as readonly string[]).some((entry) => entry === 'COLOUR=blue'),
    );
    if (found === undefined) throw new Error(`no service of ${this.projectName} reads COLOUR`);
    return found.service;
  }

  /** On the engines themselves. */
  async #leftovers(): Promise<readonly string[]> {
    const found = await Promise.all(
      this.#target.engines.map(async (engine) => {
        const [containers, networks, volumes] = await Promise.all(
          ['/containers/json?all=1', '/networks', '/volumes'].map(async (path) => (await engine.api('GET', path)).json),
        );
        return [...listOf(containers), ...listOf(networks), ...listOf(field(volumes, 'Volumes'))]
          .filter((row) => field(row, 'Labels', 'com.docker.compose.project') === this.projectName)
          .map((row) => JSON.stringify(field(row, 'Names') ?? field(row, 'Name')));
      }),
    );
    return found.flat();
  }
}

/** A copy of the project's folder in `parent`, made anew. */
export function copyProject(project: Project, parent: string): string {
  const folder = `${parent}/${project.name}`;
  rmSync(folder, { recursive: true, force: true });
  cpSync(`${corpusDirectory}/${project.name}`, folder, { recursive: true });
  return folder;
}

const psFormat = '{{.Service}} {{.Name}} {{.State}} {{.Health}} {{.ExitCode}} {{.Image}}';

/** Compose v1 shows one of a container's ports, whichever comes first; where each leads to is in the state. */
function withoutAddress(word: string): string {
  return word.replace(/^.*:\d+->(.*?),?$/, 'published->$1');
}

function namesOf({ name, service, document }: ProjectContainer): readonly string[] {
  const endpoints = Object.values(field(document, 'NetworkSettings', 'Networks') ?? {});
  const aliases = endpoints.flatMap((endpoint) => listOf(field(endpoint, 'Aliases')).map(String));
  const hosts = listOf(field(document, 'HostConfig', 'ExtraHosts')).map((entry) => String(entry).split(':')[0] ?? '');
  const links = endpoints.flatMap((endpoint) =>
    listOf(field(endpoint, 'Links')).map((link) => String(link).split(':')[1] ?? ''),
  );
  const own = text(document, 'Id').slice(0, 12);
  return [name, service, ...aliases, ...hosts, ...links].filter(
    (one) => one !== own && one !== '' && one !== 'docker.host',
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** What a command said is shown when its exit code is not that of the other side. */
function outcome({ code, stderr }: CommandResult): { readonly code: number; readonly said: string } {
  return { code, said: code === 0 ? '' : stderr.slice(-600) };
}
