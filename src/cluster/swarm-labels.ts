// The labels that the manager itself writes on containers.

/** Follows a container through the cluster, whatever engine runs it; every by-name call takes its value. */
export const swarmIdLabel = 'com.docker.swarm.id';

/** Why the container is on its node: see `placement-label.ts`. */
export const placementLabel = 'com.docker.swarm.placement';

/** Counts how often a container was started anew on another node; absent means 0. */
export const generationLabel = 'com.docker.swarm.generation';

/** Compose's name of the project that an object belongs to. */
export const projectLabel = 'com.docker.compose.project';
