// The fixed places of a rig on a machine: one address range, one link prefix and one state folder per kind. They do
// not depend on where the project was cloned, so that a later start finds what an earlier one left behind.
import { fileURLToPath } from 'node:url';

export interface RigKind {
  readonly name: string;
  /** The first three numbers of the kind's /24 network. */
  readonly subnet: string;
}

export const demoKind: RigKind = { name: 'demo', subnet: '10.77.0' };

/** The first is for tests; the others let several test runs share a machine. */
export const testKinds: readonly RigKind[] = [78, 79, 80, 81, 82, 83, 84, 85].map((number, index) => ({
  name: index === 0 ? 'test' : `test${index}`,
  subnet: `10.${number}.0`,
}));

export const allKinds: readonly RigKind[] = [demoKind, ...testKinds];

/** Every process of a rig carries this variable with the kind's name: it is how leftovers are recognised. */
export const markVariable = 'SHOAL_RIG_MARK';

/** Names the test kind to use, for those who start an end-to-end test without the runner. */
export const kindVariable = 'SHOAL_RIG_KIND';

export function rigKindNamed(name: string): RigKind {
  const kind = allKinds.find((candidate) => candidate.name === name);
  if (!kind) throw new Error(`no rig kind ${name}; there are ${allKinds.map((known) => known.name).join(', ')}`);
  return kind;
}

export const projectDirectory = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** Packages and images that every rig of this clone shares; ignored by git. */
export const cacheDirectory = `${projectDirectory}/.cache/rig`;

export function stateDirectory(kind: RigKind): string {
  return `/var/tmp/shoal-rig-${kind.name}`;
}

export function bridgeName(kind: RigKind): string {
  return `shoal-${kind.name}-br`;
}

export function bridgeAddress(kind: RigKind): string {
  return `${kind.subnet}.1`;
}

/** `number` counts from 1. */
export function nodeAddress(kind: RigKind, number: number): string {
  return `${kind.subnet}.${10 + number}`;
}

export function nodeLinkName(kind: RigKind, number: number): string {
  return `shoal-${kind.name}-${number}`;
}

export function linkPrefix(kind: RigKind): string {
  return `shoal-${kind.name}-`;
}

/** Relative to the root of each cgroup controller. */
export function cgroupParent(kind: RigKind): string {
  return `/shoal-rig-${kind.name}`;
}
