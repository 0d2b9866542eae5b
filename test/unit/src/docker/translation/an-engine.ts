// What translation knows of an engine, for tests.
import type { EngineFacts } from '../../../../../src/docker/translation/rule.ts';

/** An engine called node-1; `networks` are ids by name. */
export function anEngine(
  min: string,
  max: string,
  { networks = {}, cgroupVersion = '2' }: { networks?: Record<string, string>; cgroupVersion?: string } = {},
): EngineFacts {
  const idOf = (reference: string): string | undefined =>
    networks[reference] ?? Object.values(networks).find((id) => id.startsWith(reference));
  return {
    name: 'node-1',
    apiVersion: { min, max },
    cgroupVersion,
    networkId: (reference) => idOf(reference) ?? reference,
  };
}
