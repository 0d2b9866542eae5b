// The operating system and processor that the user asked for with --platform.
import type { Filter, Node } from '../contracts.ts';

export const platformFilter: Filter = {
  name: 'platform',
  requirements: ({ platform }) => {
    if (platform === undefined) return [];
    return [
      {
        description: `platform ${platform}`,
        soft: false,
        accepts: (node) => runsPlatform(node, platform),
        reason: (node) => `platform ${platform} wanted, it is ${platformText(node)}`,
      },
    ];
  },
};

const osNames: ReadonlySet<string> = new Set(['linux', 'windows', 'freebsd', 'darwin']);

/** Engines and images name processors differently. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armv8l: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  armhf: 'arm',
  armel: 'arm',
  i386: '386',
  i686: '386',
};

/** `os`, `arch`, `os/arch` or `os/arch/variant`; the variant is left to the engine. A fact that is not known excludes nothing. */
function runsPlatform(node: Node, platform: string): boolean {
  const parts = platform.toLowerCase().split('/');
  const [first = '', second] = parts;
  const os = osNames.has(first) ? first : undefined;
  const arch = os === undefined ? first : second;
  return isSame(node.facts['ostype'], os) && isSame(node.facts['arch'], arch);
}

function isSame(actual: string | undefined, wanted: string | undefined): boolean {
  if (actual === undefined || wanted === undefined) return true;
  return canonical(actual) === canonical(wanted);
}

function canonical(name: string): string {
  const lower = name.toLowerCase();
  return architectures[lower] ?? lower;
}

function platformText({ facts }: Node): string {
  return `${facts['ostype'] ?? 'unknown'}/${canonical(facts['arch'] ?? 'unknown')}`;
}
