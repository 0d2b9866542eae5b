// What the command line needs of the process it runs in.

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Surroundings {
  readonly env: Environment;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}
