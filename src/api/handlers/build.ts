// Builds. A build is several requests that must meet on one engine: a client stays with one, a session is followed,
// and placement expressions among the build arguments choose, as they do for containers.
import { createHash } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { badRequest } from '../../common/errors.ts';
import { isWireObject } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import { isRule } from '../../scheduler/rules.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { askEngine, assertSuccess } from '../engine-call.ts';
import { fanOut, reachableEngines } from '../fan-out.ts';
import type { Target } from '../route.ts';

const cancelTimeoutMs = 10_000;
/** How long the upload of a context waits for the build that asked for it. */
const buildWaitMs = 5_000;
/** How long a session waits for its build, which knows whether it must go to a certain node. */
const sessionWaitMs = 500;

/** POST /build. */
export async function build(call: RequestCall): Promise<Target> {
  const { environment, search } = withoutExpressions(call);
  const engine = environment.length > 0 ? placedBuild(call, environment) : await engineOfBuild(call);
  return { engine, path: '/build', search, isProgress: true, settleStream: (signal) => engine.refreshImages(signal) };
}

/** POST /build/cancel: the engine that knows the build ends it, and to the others it is nothing. */
export async function cancelBuild(call: ApiCall): Promise<void> {
  if ((call.query.get('id') ?? '') === '') throw badRequest('build ID not provided');
  const path = '/build/cancel';
  await fanOut(
    call,
    reachableEngines(call),
    async (engine, signal) => {
      assertSuccess(await askEngine({ engine, path }, call, { body: Buffer.alloc(0), signal }));
    },
    { timeoutMs: cancelTimeoutMs },
  );
  call.res.setHeader('Content-Type', 'application/json');
  call.sendEmpty(200);
}

/** POST /session: by which an engine reads the client's files. */
export async function openSession(call: RequestCall): Promise<Target> {
  const { builds } = call.cluster;
  const sessionId = headerOf(call, 'x-docker-expose-session-uuid');
  const caller = { clientKey: clientKey(call), meetings: sessionId === undefined ? [] : [sessionMeeting(sessionId)] };
  if (!builds.isControlling(caller.clientKey)) await untilMet(call, caller.meetings, sessionWaitMs);
  const engine = builds.engineFor(caller);
  return { engine, path: '/session', settleStream: (signal) => engine.refreshImages(signal) };
}

/** POST /grpc: by which a client controls the builder. */
export function controlBuilder(call: RequestCall): Target {
  const { builds } = call.cluster;
  const key = clientKey(call);
  const engine = builds.engineFor({ clientKey: key });
  const { socket } = call.req;
  if (!socket.closed) socket.once('close', builds.beginControl(key));
  return { engine, path: '/grpc', settleStream: (signal) => engine.refreshImages(signal) };
}

function placedBuild(call: RequestCall, environment: readonly string[]): Engine {
  const engine = call.cluster.placer.placeBuild(environment);
  call.cluster.builds.meet(meetingsOf(call), engine);
  return engine;
}

async function engineOfBuild(call: RequestCall): Promise<Engine> {
  const { builds } = call.cluster;
  const meetings = meetingsOf(call);
  if (isUpload(call)) await untilMet(call, meetings, buildWaitMs);
  return builds.engineFor({ clientKey: clientKey(call), meetings });
}

async function untilMet({ cluster, signal }: RequestCall, meetings: readonly string[], waitMs: number): Promise<void> {
  for (const meeting of meetings) await cluster.builds.untilMet(meeting, waitMs, signal);
}

/** The context of a BuildKit build from standard input comes as a build of its own, with the same id behind this word. */
const uploadPrefix = 'upload-request:';

function isUpload({ query }: RequestCall): boolean {
  return (query.get('buildid') ?? '').startsWith(uploadPrefix);
}

function meetingsOf({ query }: RequestCall): string[] {
  const session = query.get('session') ?? '';
  const build = (query.get('buildid') ?? '').replace(uploadPrefix, '');
  return [...(session === '' ? [] : [sessionMeeting(session)]), ...(build === '' ? [] : [`build ${build}`])];
}

function sessionMeeting(id: string): string {
  return `session ${id}`;
}

/** What tells clients apart: the certificate where they show one, else the address. */
function clientKey({ req }: RequestCall): string {
  const { socket } = req;
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate !== undefined) return `certificate ${createHash('sha256').update(certificate.raw).digest('hex')}`;
  return `address ${socket.remoteAddress ?? 'local'}`;
}

interface BuildArguments {
  /** The expressions, as an environment has them. */
  readonly environment: readonly string[];
  /** The query string for the engine. */
  readonly search: string;
}

/** `--build-arg constraint:storage==ssd` arrives as the argument "constraint:storage" with the value "=ssd". */
function withoutExpressions(call: RequestCall): BuildArguments {
  const text = call.query.get('buildargs') ?? '';
  const args = text === '' ? undefined : parseArguments(text);
  const expressions = Object.entries(args ?? {}).filter(([key]) => isRule(key));
  if (expressions.length === 0) return { environment: [], search: call.search };
  const query = new URLSearchParams(call.query);
  const rest = Object.entries(args ?? {}).filter(([key]) => !isRule(key));
  query.set('buildargs', JSON.stringify(Object.fromEntries(rest)));
  const environment = expressions.map(([key, value]) => (typeof value === 'string' ? `${key}=${value}` : key));
  return { environment, search: query.toString() };
}

/** What the engine will refuse is left to it. */
function parseArguments(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isWireObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function headerOf({ req }: RequestCall, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
