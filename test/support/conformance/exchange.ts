// One request of a conformance script and what came of it. A script is data: it is played unchanged against an engine
// and against a manager, so nothing in it may depend on which of them answers.

export interface Exchange {
  readonly method: string;
  /** Without version; `{name}` stands for a value that an earlier exchange captured. */
  readonly path: string;
  /** Instead of the version that the script is played at; 'none' leaves the prefix out. */
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, with `{name}` filled in as in paths. */
  readonly json?: unknown;
  /** Sent as they are. */
  readonly bytes?: Buffer;
  /** Asks for an upgrade of the connection. */
  readonly upgrade?: 'tcp' | 'h2c' | 'websocket';
  /** Bytes for a stream after its head came; the sending side is closed then. Absent: closed at once. */
  readonly input?: string;
  /** Names for values of the JSON answer, each by its path. */
  readonly capture?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Played while this answer streams, from the moment its head has come. */
  readonly during?: readonly Exchange[];
  /** An endless answer: hung up as soon as it holds each of these texts. */
  readonly hangUpAfter?: readonly string[];
  /** Lists whose order the API leaves open. */
  readonly order?: 'open';
  /** Repeated until the answer has this status or holds this text: what it asks for happens by itself. */
  readonly until?: number | string;
}

export interface Scenario {
  readonly name: string;
  /** The versions of clients it is played at: each one, the oldest and the newest, or, of slow scripts, the newest. */
  readonly versions: 'every' | 'outer' | 'newest';
  readonly exchanges: readonly Exchange[];
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The server closed the stream, or the test hung up. */
  readonly end: 'ended' | 'broken' | 'hung up';
}

export interface Played {
  readonly scenario: string;
  /** "scenario 12: GET /containers/json?all=1", the same on every target. */
  readonly title: string;
  /** As in the table of routes, "GET /containers/{name*}/json"; "other" when the API has none. */
  readonly route: string;
  readonly version: string;
  readonly order: 'open' | 'fixed';
  readonly answer: Answer;
}

type Extra = Omit<Exchange, 'method' | 'path'>;

export function get(path: string, extra: Extra = {}): Exchange {
  return { method: 'GET', path, ...extra };
}

export function head(path: string, extra: Extra = {}): Exchange {
  return { method: 'HEAD', path, ...extra };
}

export function post(path: string, json?: unknown, extra: Extra = {}): Exchange {
  return { method: 'POST', path, ...(json === undefined ? {} : { json }), ...extra };
}

export function put(path: string, extra: Extra = {}): Exchange {
  return { method: 'PUT', path, ...extra };
}

export function remove(path: string, extra: Extra = {}): Exchange {
  return { method: 'DELETE', path, ...extra };
}

/** A query of filters in the form of Go clients. */
export function filters(values: Readonly<Record<string, readonly string[]>>): string {
  // Captured values are filled in later, so their braces stay.
  return `filters=${encodeURIComponent(JSON.stringify(values)).replace(/%7B(\w+)%7D/g, '{$1}')}`;
}
