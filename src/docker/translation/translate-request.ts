// Puts the body of a request into the words of an engine that does not speak the client's API version. Where the
// engine speaks it, and no rule is for all clients, the body is the client's own object.
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion, effectiveVersion } from '../api-version.ts';
import type { WireObject } from '../types.ts';
import { newerEngineRules } from './newer-engine.ts';
import { olderEngineRules } from './older-engine.ts';
import type { Emulation, EngineFacts, FollowUp, NewerEngineRule, OlderEngineRule, Operation } from './rule.ts';

export interface OriginalRequest {
  readonly operation: Operation;
  readonly body: WireObject;
  /** The client's API version. */
  readonly version: string;
}

export interface TranslatedRequest {
  readonly body: WireObject;
  /** The version at which the engine is to be asked. */
  readonly version: string;
  /** In the order in which they are to be done, after the request itself. */
  readonly followUps: readonly FollowUp[];
  readonly warnings: readonly string[];
}

/** Throws ApiError 400 where the meaning would get lost. */
export function translateRequest(
  { operation, body, version }: OriginalRequest,
  engine: EngineFacts,
): TranslatedRequest {
  const effective = effectiveVersion(version, engine.apiVersion);
  const missing = olderEngineRules.filter(
    (rule) => rule.operation === operation && isBefore(effective, rule.since) && isMeant(rule, version),
  );
  const unexpected = newerEngineRules.filter(
    (rule) => rule.operation === operation && isBefore(version, rule.since) && !isBefore(effective, rule.since),
  );
  const original: TranslatedRequest = { body, version: effective, followUps: [], warnings: [] };
  const older = unexpected.reduce(
    (request, rule) => withBody(request, applyNewer(rule, request.body, engine)),
    original,
  );
  return missing.reduce((request, rule) => merged(request, applyOlder(rule, request.body, engine)), older);
}

/** The oldest API version at which an engine does all that a create body asks for; undefined: every engine will do. */
export function minimumApiVersion(body: WireObject): string | undefined {
  return olderEngineRules
    .filter((rule) => rule.operation === 'create container' && rule.kind === 'require' && rule.isUsed(body))
    .map(({ since }) => since)
    .sort(compareApiVersion)
    .at(-1);
}

function isBefore(version: string, since: string): boolean {
  return compareApiVersion(version, since) < 0;
}

/** What a client's version did not have, an engine leaves out for it anyway. */
function isMeant(rule: OlderEngineRule, version: string): boolean {
  return !isBefore(version, rule.since) || (rule.kind === 'emulate' && rule.clients === 'all');
}

function applyNewer(rule: NewerEngineRule, body: WireObject, engine: EngineFacts): WireObject {
  if (rule.kind === 'rewrite') return rule.rewrite(body, engine);
  if (!rule.isUsed(body)) return body;
  throw badRequest(`${rule.feature} needs API v${rule.since} or newer`);
}

function applyOlder(rule: OlderEngineRule, body: WireObject, engine: EngineFacts): Emulation {
  const { name, apiVersion } = engine;
  switch (rule.kind) {
    case 'rewrite':
      return { body: rule.rewrite(body) };
    case 'emulate':
      return rule.emulate(body, engine);
    case 'warn':
      if (!rule.isUsed(body)) return { body };
      return { body, warnings: [`node ${name} speaks API ${apiVersion.max} only: ${rule.effect}`] };
    case 'require':
      if (!rule.isUsed(body)) return { body };
      throw badRequest(
        `${rule.feature} needs an engine of API ${rule.since} or newer, and node ${name} speaks ${apiVersion.max}`,
      );
  }
}

function withBody(request: TranslatedRequest, body: WireObject): TranslatedRequest {
  return { ...request, body };
}

function merged(request: TranslatedRequest, { body, followUps = [], warnings = [] }: Emulation): TranslatedRequest {
  return {
    ...request,
    body,
    followUps: [...request.followUps, ...followUps],
    warnings: [...request.warnings, ...warnings],
  };
}
