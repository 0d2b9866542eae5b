// An engine that is never connected and shows what it was given: what placement costs without a network. Everything
// above it is the manager's own.
import { createSilentLogger } from '../src/common/logger.ts';
import type { EngineInfo, ImageRow } from '../src/docker/types.ts';
import { parseContainerDetails } from '../src/engine/container-details.ts';
import type { ContainerRecord } from '../src/engine/container-record.ts';
import { engineLabels } from '../src/engine/engine-identity.ts';
import { Engine } from '../src/engine/engine.ts';
import type { EngineState } from '../src/engine/engine.ts';
import { EngineMirror } from '../src/engine/mirror.ts';

const mebibyte = 1024 ** 2;
const logger = createSilentLogger();

export class QuietEngine extends Engine {
  readonly #info: EngineInfo;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #mirror = new EngineMirror(() => undefined);

  constructor(address: string, index: number, containers: number) {
    super({ address, logger });
    this.#info = infoOf(index);
    this.#labels = engineLabels(this.#info);
    this.#mirror.setImages(images, this.#mirror.beginFetch());
    for (let i = 0; i < containers; i += 1) {
      this.#mirror.putContainer(containerOf(index, i), this.#mirror.beginFetch());
    }
  }

  override get state(): EngineState {
    return 'healthy';
  }

  override get name(): string {
    return this.#info.Name ?? '';
  }

  override get id(): string {
    return this.#info.ID ?? '';
  }

  override get info(): EngineInfo {
    return this.#info;
  }

  override get labels(): Readonly<Record<string, string>> {
    return this.#labels;
  }

  override get mirror(): EngineMirror {
    return this.#mirror;
  }

  override start(): void {
    // Nothing to connect to.
  }

  override setAnnounced(): void {
    // Nothing to probe.
  }
}

/** Every second node has `storage=ssd`; four zones of two regions; a tenth of the nodes have an old kernel. */
function infoOf(index: number): EngineInfo {
  return {
    ID: `id-${index}`,
    Name: `node-${String(index + 1).padStart(5, '0')}`,
    NCPU: 64,
    MemTotal: 256 * 1024 * mebibyte,
    Driver: 'overlay2',
    KernelVersion: index % 10 === 0 ? '4.19.0' : '6.1.0-18-amd64',
    OperatingSystem: 'Debian GNU/Linux 12',
    OSType: 'linux',
    Architecture: 'x86_64',
    ServerVersion: '28.5.1',
    Labels: [`storage=${index % 2 === 0 ? 'ssd' : 'disk'}`, `zone=${zones[index % zones.length] ?? ''}`],
  };
}

const zones = ['eu-1', 'eu-2', 'us-1', 'us-2', 'eu-1', 'us-1'];

const images: readonly ImageRow[] = [
  {
    Id: `sha256:${'1'.repeat(64)}`,
    RepoTags: ['nginx:1.27'],
    RepoDigests: [`nginx@sha256:${'5'.repeat(64)}`],
    Created: 1_700_000_000,
  },
];

/** On every tenth node one is called web-N; one in three has limits. */
function containerOf(node: number, index: number): ContainerRecord {
  const id = (node * 1_000 + index + 1).toString(16).padStart(12, '0').padEnd(64, 'a');
  const name = node % 10 === 0 && index === 0 ? `web-${node}` : `app-${node}-${index}`;
  const limits = index % 3 === 0 ? { Memory: (128 + (node % 7) * 64) * mebibyte, NanoCpus: 500_000_000 } : {};
  const row = {
    Id: id,
    Names: [`/${name}`],
    Image: 'nginx:1.27',
    ImageID: `sha256:${'1'.repeat(64)}`,
    Created: 1_700_000_000 + index,
    State: 'running',
    Status: 'Up 5 minutes',
    Labels: index % 5 === 0 ? { tier: `t${index % 4}` } : {},
  };
  const details = parseContainerDetails({
    ...{ Id: id, Name: `/${name}`, Created: '2026-01-01T00:00:00Z', Image: row.ImageID },
    State: { Status: 'running', Running: true },
    HostConfig: limits,
  });
  return { id, name, row, details };
}
