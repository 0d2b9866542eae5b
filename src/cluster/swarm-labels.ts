// The labels that the manager itself writes on containers and networks, and those of others that it reads.

/** Follows a container through the cluster, whatever engine runs it; every by-name call takes its value. */
export const swarmIdLabel = 'com.docker.swarm.id';

/** Why the container is on its node: see `placement-label.ts`. */
export const placementLabel = 'com.docker.swarm.placement';

/** When it may be made anew elsewhere: see `reschedule-policy.ts`. */
export const reschedulePoliciesLabel = 'com.docker.swarm.reschedule-policies';

/** The key by which a client that repeats its create gets the same container; the client's own, or its header `Idempotency-Key`. */
export const idempotencyLabel = 'com.docker.swarm.idempotency';

/** Counts how often a container was started anew on another node; absent means 0. */
export const generationLabel = 'com.docker.swarm.generation';

/** Compose's name of the project that an object belongs to. */
export const projectLabel = 'com.docker.compose.project';

/** On a network: the driver that its project's file names, where it got another one. */
export const askedDriverLabel = 'com.docker.swarm.network.driver';
