// From Node's two entry points, request and upgrade, to the dispatcher: redirection, route, version, the wait at
// start, and the one place where a failed call becomes an answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller, Rules } from '../authorization/rules.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ApiError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { TakenConnection } from '../proxy/hijack.ts';
import type { ResponseHead } from '../proxy/raw-head.ts';
import { sendEmpty } from './answer.ts';
import { openCall } from './api-call.ts';
import type { RequestCall } from './api-call.ts';
import { apiHeaders } from './api-headers.ts';
import { CallTrace, type Audit } from './audit.ts';
import { CallSignals } from './call-signals.ts';
import { identify, stateCaller } from './caller.ts';
import { ChangesUnderWay } from './changes-under-way.ts';
import { dispatch, dispatchTaken } from './dispatcher.ts';
import { answerError, answerErrorRaw } from './errors.ts';
import { guard, type GuardedCall } from './guard.ts';
import { cleanedPath, compileRoutes, parseRequestTarget } from './match.ts';
import type { Match, Matcher, RequestLine } from './match.ts';
import { replicaHeaders, type Replica } from './replica.ts';
import type { RequestRate } from './request-rate.ts';
import type { Route } from './route.ts';
import type { ApiSettings } from './settings.ts';
import { isMutating } from './verbs.ts';
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
  /** Those in force at the moment; undefined: everybody may do everything. */
  readonly rules?: (() => Rules) | undefined;
  readonly audit?: Audit | undefined;
  readonly rate?: RequestRate | undefined;
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
    this.#warmUp = new WarmUp({
      whenReady: (signal) => cluster.readiness.whenReady(signal),
      limitMs: options.warmUpMs,
      logger,
    });
  }

  /** Serves an ordinary request; never rejects. */
  async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let headers: Readonly<Record<string, string>> = {};
    const { logger } = this.#options;
    try {
      this.#options.rate?.assertAdmits(req);
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
    const trace = new CallTrace(this.#options.audit);
    try {
      this.#options.rate?.assertAdmits(req);
      this.#options.replica?.assertMeant(req);
      const { match, line } = this.#find(req);
      const { handling } = match.route;
      if (handling.kind !== 'hijack') throw new ApiError(400, 'this request cannot be upgraded');
      const version = clientVersion(line.version);
      const base = this.#call({ match, line, version }, req, { signal: signal.signal, trace });
      const caller = this.#begin(base, match.route);
      const call = { ...base, query: new URLSearchParams(line.search) };
      const passing = { headers: stateCaller(caller), signal: signal.signal, onHead: ended(trace) };
      if ((await this.#options.replica?.passTaken(taken, passing)) === false) return;
      await this.#warmUp.passed(signal.signal);
      await this.#permit(caller, call, match.route);
      await dispatchTaken(await handling.target(call), call, taken, this.#headers);
    } catch (error) {
      answerErrorRaw(socket, error, logger, { ...this.#headers, ...replicaHeaders(error) });
      trace.end(statusOf(error));
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
    const trace = new CallTrace(this.#options.audit);
    res.once('close', () => {
      trace.end(res.statusCode);
    });
    try {
      const { replica } = this.#options;
      const caller = this.#begin({ req, trace, params: match.params }, match.route);
      const isElsewhere = replica !== undefined && !servedHere.has(match.route.pattern);
      const own = isElsewhere
        ? await replica.pass(req, res, { headers: stateCaller(caller), signal: signal.signal })
        : req;
      if (own === undefined) return;
      const request = this.#call(found, own, { signal: signal.signal, trace });
      if (!servedAtOnce.has(match.route.pattern)) await this.#warmUp.passed(signal.signal);
      await this.#changes.during(match.route, async () => {
        const call = await openCall(request, res);
        await dispatch(match.route.handling, await this.#permit(caller, call, match.route), this.#headers);
      });
    } finally {
      signal.close();
    }
  }

  /** Who calls. Throws ApiError 401 for a token that nobody knows. */
  #begin({ req, trace, params }: Pick<RequestCall, 'req' | 'trace' | 'params'>, route: Route): Caller {
    const { rules, audit, replica } = this.#options;
    // Reading a certificate takes as long as many an answer.
    if (rules === undefined && audit === undefined && replica === undefined) return { address: undefined };
    const caller = identify(req, rules?.());
    if (isMutating(route)) trace.begin(caller, route);
    trace.concerns(params['name'] ?? params['id'] ?? '');
    return caller;
  }

  /** The call as the rules let it go on. Throws ApiError 403. */
  async #permit<T extends GuardedCall>(caller: Caller, call: T, route: Route): Promise<T> {
    call.trace.concerns(nameInQuery(call.query));
    const rules = this.#options.rules?.();
    if (rules === undefined) return call;
    try {
      const { query, body } = await guard(rules, caller, call, route);
      const asked = query === undefined ? call : { ...call, query, search: query.toString() };
      return body === undefined
        ? asked
        : { ...asked, json: () => Promise.resolve(body), jsonValue: () => Promise.resolve(body) };
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) call.trace.denied(error.message);
      throw error;
    }
  }

  #call(
    { match, line, version }: Found,
    req: IncomingMessage,
    { signal, trace }: Pick<RequestCall, 'signal' | 'trace'>,
  ): Omit<RequestCall, 'query'> {
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
      trace,
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

function ended(trace: CallTrace): (head: ResponseHead) => ResponseHead {
  return (head) => {
    trace.end(head.statusCode);
    return head;
  };
}

/** What a call names that has no place for it in its path. */
function nameInQuery(query: URLSearchParams): string {
  const names = ['name', 'container', 'fromImage', 'remote', 't', 'repo'].map((key) => query.get(key) ?? '');
  return names.find((name) => name !== '') ?? '';
}

function statusOf(error: unknown): number {
  return error instanceof ApiError ? error.status : 500;
}
