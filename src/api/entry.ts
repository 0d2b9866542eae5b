// From Node's two entry points, request and upgrade, to the dispatcher: redirection, route, version, the wait at
// start, and the one place where a failed call becomes an answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cluster } from '../cluster/cluster.ts';
import { ApiError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { TakenConnection } from '../proxy/hijack.ts';
import { sendEmpty } from './answer.ts';
import { openCall } from './api-call.ts';
import type { RequestCall } from './api-call.ts';
import { apiHeaders } from './api-headers.ts';
import { CallSignals } from './call-signals.ts';
import { ChangesUnderWay } from './changes-under-way.ts';
import { dispatch, dispatchTaken } from './dispatcher.ts';
import { answerError, answerErrorRaw } from './errors.ts';
import { cleanedPath, compileRoutes, parseRequestTarget } from './match.ts';
import type { Match, Matcher, RequestLine } from './match.ts';
import { replicaHeaders, type Replica } from './replica.ts';
import type { Route } from './route.ts';
import type { ApiSettings } from './settings.ts';
import { clientVersion } from './versions.ts';
import { WarmUp } from './warm-up.ts';

export interface EntryOptions {
  readonly cluster: Cluster;
  readonly settings: ApiSettings;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  readonly warmUpMs: number;
  /** Absent: this manager stands alone. */
  readonly replica: Replica | undefined;
}

/** A request whose route exists and whose version is served. */
interface Found {
  readonly match: Match;
  readonly line: RequestLine;
  /** The client's. */
  readonly version: string;
}

/** What the manager can tell before it knows its engines. */
const servedAtOnce = new Set(['/_ping', '/version', '/info', '/events']);

/** What each manager tells of itself, the primary or not. */
const servedHere = new Set(['/_ping', '/info']);

export class Entry {
  readonly #options: EntryOptions;
  readonly #matcher: Matcher;
  readonly #warmUp: WarmUp;
  readonly #signals = new CallSignals();
  readonly #changes = new ChangesUnderWay();
  readonly #headers: Readonly<Record<string, string>>;
  /** Of a refusal for the version: engines do not say there whether they are experimental. */
  readonly #versionHeaders: Readonly<Record<string, string>>;

  constructor(options: EntryOptions) {
    const { cluster, logger } = options;
    this.#options = options;
    this.#matcher = compileRoutes(options.routes);
    this.#headers = apiHeaders(options.settings);
    this.#versionHeaders = Object.fromEntries(
      Object.entries(this.#headers).filter(([name]) => name !== 'Docker-Experimental'),
    );
    this.#warmUp = new WarmUp({ whenReady: (signal) => cluster.whenReady(signal), limitMs: options.warmUpMs, logger });
  }

  /** Serves an ordinary request; never rejects. */
  async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let headers: Readonly<Record<string, string>> = {};
    const { logger } = this.#options;
    try {
      if (req.method === 'OPTIONS') {
        for (const [name, value] of Object.entries(this.#headers)) res.setHeader(name, value);
        sendEmpty(res, 200);
        return;
      }
      this.#options.replica?.assertMeant(req);
      const cleaned = cleanedPath(req.url ?? '');
      if (cleaned !== undefined) {
        res.writeHead(301, { Location: cleaned, 'Content-Length': 0 }).end();
        return;
      }
      const found = this.#find(req);
      headers = this.#versionHeaders;
      const version = clientVersion(found.line.version);
      headers = this.#headers;
      await this.#serveMatch({ ...found, version }, req, res);
    } catch (error) {
      answerError(res, error, logger, { ...headers, ...replicaHeaders(error) });
    }
  }

  /** Serves a request whose connection was taken from the server; never rejects. */
  async serveTaken(taken: TakenConnection): Promise<void> {
    const { req, socket } = taken;
    const { logger } = this.#options;
    const signal = this.#signals.open();
    try {
      this.#options.replica?.assertMeant(req);
      const { match, line } = this.#find(req);
      const { handling } = match.route;
      if (handling.kind !== 'hijack') throw new ApiError(400, 'this request cannot be upgraded');
      const version = clientVersion(line.version);
      const base = this.#call({ match, line, version }, req, signal.signal);
      const call = { ...base, query: new URLSearchParams(line.search) };
      if ((await this.#options.replica?.passTaken(taken, signal.signal)) === false) return;
      await this.#warmUp.passed(signal.signal);
      await dispatchTaken(await handling.target(call), call, taken, this.#headers);
    } catch (error) {
      answerErrorRaw(socket, error, logger, { ...this.#headers, ...replicaHeaders(error) });
    } finally {
      signal.close();
    }
  }

  /** Whether the request makes a raw stream of its connection even without asking for an upgrade. */
  isRawStream(method: string, url: string): boolean {
    const handling = this.#handlingOf(method, url);
    return handling?.kind === 'hijack' && handling.withoutUpgrade === 'raw stream';
  }

  /** Whether an upgrade is possible here; where it is not, the wish is ignored. */
  mayUpgrade(method: string, url: string): boolean {
    return this.#handlingOf(method, url)?.kind === 'hijack';
  }

  /** Resolves when no change is under way, at the latest after `withinMs`. */
  changesOver(withinMs: number): Promise<void> {
    return this.#changes.over(withinMs);
  }

  /** Ends the calls under way. */
  endCalls(): void {
    this.#signals.abortAll(new ApiError(503, 'the manager is stopping'));
  }

  async stop(): Promise<void> {
    this.endCalls();
    await this.#warmUp.stop();
  }

  #find(req: IncomingMessage): { readonly match: Match; readonly line: RequestLine } {
    const line = parseRequestTarget(req.url ?? '');
    const match = this.#matcher(req.method ?? '', line.path);
    if (match === undefined) throw new ApiError(404, 'page not found');
    return { match, line };
  }

  async #serveMatch(found: Found, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { match } = found;
    const signal = this.#signals.open(res);
    try {
      const { replica } = this.#options;
      const isElsewhere = replica !== undefined && !servedHere.has(match.route.pattern);
      const own = isElsewhere ? await replica.pass(req, res, signal.signal) : req;
      if (own === undefined) return;
      const request = this.#call(found, own, signal.signal);
      if (!servedAtOnce.has(match.route.pattern)) await this.#warmUp.passed(signal.signal);
      await this.#changes.during(match.route, async () => {
        await dispatch(match.route.handling, await openCall(request, res), this.#headers);
      });
    } finally {
      signal.close();
    }
  }

  #call({ match, line, version }: Found, req: IncomingMessage, signal: AbortSignal): Omit<RequestCall, 'query'> {
    const { cluster, settings, logger } = this.#options;
    const { path, search } = line;
    return {
      req,
      cluster,
      settings,
      logger,
      version,
      path,
      search,
      params: match.params,
      signal,
    };
  }

  #handlingOf(method: string, url: string): Route['handling'] | undefined {
    try {
      return this.#matcher(method, parseRequestTarget(url).path)?.route.handling;
    } catch {
      // A broken path is answered as an ordinary request.
      return undefined;
    }
  }
}
