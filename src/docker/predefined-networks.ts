// The networks that every engine makes for itself: under the same names on each, and with ids of their own.

const builtin: ReadonlySet<string> = new Set(['bridge', 'host', 'none', 'default']);

/** Those that swarm mode makes; their names are nobody else's either. */
const ofSwarmMode: ReadonlySet<string> = new Set(['docker_gwbridge', 'ingress']);

export function isPredefinedNetwork(name: string): boolean {
  return isBuiltinNetwork(name) || ofSwarmMode.has(name);
}

/** What the `type` filter calls builtin: predefined and not of swarm mode's making. */
export function isBuiltinNetwork(name: string): boolean {
  return builtin.has(name);
}
