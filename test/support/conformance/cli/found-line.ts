// A line that a client prints on the cluster and not on the engine, or the other way round, and where it was found.
import type { Cli } from './scene.ts';
import type { DifferentLine } from './transcript.ts';

export type Cluster = '20.10' | '28.5' | 'mixed';

export interface FoundLine extends DifferentLine {
  readonly cluster: Cluster;
  readonly cli: Cli;
  readonly scene: string;
  readonly command: string;
}
