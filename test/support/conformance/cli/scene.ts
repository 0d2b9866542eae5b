// What a user types, and what came of it. A scene is data: it is played unchanged against an engine and against a
// manager, so nothing in it may depend on which of them answers.

/** 'path' is the client that the PATH leads to. */
export type Cli = 'path' | '20.10' | '26.1';

export interface Scene {
  readonly name: string;
  /** Lines for a shell in which `docker` is the client under test. The folder is empty at first and the scene's own. */
  readonly commands: readonly string[];
}

/** The lines of a transcript say where they appeared: "out: hello", "err: no", "code: 1". */
export interface PlayedCommand {
  readonly scene: string;
  readonly command: string;
  readonly transcript: readonly string[];
}
