// GET /info in the shape of the client's API version: what its version did not have yet is left out, and what later
// versions dropped is put back. The document itself is made of what the engines say at the newest version they speak.
import { compareApiVersion } from '../../docker/api-version.ts';
import { isWireObject, withoutGoMember } from '../../docker/go-member.ts';

type Info = Readonly<Record<string, unknown>>;

interface VersionRule {
  /** The first API version to which it does not apply. */
  readonly until: string;
  readonly change: (info: Info) => Info;
}

const rules: readonly VersionRule[] = [
  { until: '1.25', change: (info) => ({ ...info, SecurityOptions: listOf(info['SecurityOptions']).map(plainName) }) },
  { until: '1.42', change: (info) => ({ KernelMemory: true, ...info }) },
  { until: '1.44', change: withoutRuntimeStatus },
  { until: '1.46', change: (info) => withoutGoMember(info, 'Containerd') },
  {
    until: '1.47',
    change: (info) =>
      withMember(info, 'RegistryConfig', (registry) => ({
        AllowNondistributableArtifactsCIDRs: [],
        AllowNondistributableArtifactsHostnames: [],
        ...registry,
      })),
  },
  { until: '1.49', change: (info) => withoutGoMember(info, 'FirewallBackend') },
  { until: '1.49', change: withExpectedCommits },
  { until: '1.50', change: (info) => ({ BridgeNfIptables: false, BridgeNfIp6tables: false, ...info }) },
];

export function infoFor(version: string, info: Info): Info {
  return rules
    .filter(({ until }) => compareApiVersion(version, until) < 0)
    .reduce((changed, { change }) => change(changed), info);
}

/** "name=seccomp,profile=builtin" was "seccomp". */
function plainName(option: unknown): unknown {
  return typeof option === 'string' ? (/^name=([^,]*)/.exec(option)?.[1] ?? option) : option;
}

function withoutRuntimeStatus(info: Info): Info {
  return withMember(info, 'Runtimes', (runtimes) =>
    Object.fromEntries(
      Object.entries(runtimes).map(([name, runtime]) => [
        name,
        isWireObject(runtime) ? withoutGoMember(runtime, 'status') : runtime,
      ]),
    ),
  );
}

/** The commit that was expected is the one there is, since engines stopped comparing; where none is known it is left out. */
function withExpectedCommits(info: Info): Info {
  return ['ContainerdCommit', 'RuncCommit', 'InitCommit'].reduce(
    (changed, name) =>
      withMember(changed, name, (commit) => {
        const { ID: id = '' } = commit;
        return id === '' ? commit : { Expected: id, ...commit };
      }),
    info,
  );
}

function withMember(info: Info, name: string, change: (member: Info) => Info): Info {
  const member = info[name];
  return isWireObject(member) ? { ...info, [name]: change(member) } : info;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
