// What the filters are called, apart from them: the command line needs no more. The order is the order in which their soft
// rules matter and in which a node's first failing reason is looked for.

/** Those a user may leave out or reorder with `--filter`, in their default order. */
export const filterNames: readonly string[] = [
  'health',
  'port',
  'containerslots',
  'dependency',
  'affinity',
  'constraint',
  'whitelist',
  'taints',
  'replicas',
];

/** Without these an engine would refuse the container, overload its node, or lose sight of its data. */
export const standingFilterNames: readonly string[] = [
  'resources',
  'platform',
  'apiversion',
  'volumes',
  'networks',
  'devices',
];

export const allFilterNames: readonly string[] = [...filterNames, ...standingFilterNames];
