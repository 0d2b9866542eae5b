// Where the translation between API versions meets the calls: create bodies on their way through the cluster, other
// bodies on their way to an engine. Handlers need not know of it.
import { ApiError, badRequest } from '../common/errors.ts';
import type { TranslateCreate, TranslatedCreate } from '../cluster/calls.ts';
import { compareApiVersion } from '../docker/api-version.ts';
import { withOpenNetworkMode } from '../docker/network-mode.ts';
import { swarmMember } from '../docker/swarm-member.ts';
import type { WireObject } from '../docker/types.ts';
import type { EngineFacts, FollowUp, Operation } from '../docker/translation/rule.ts';
import { translateRequest } from '../docker/translation/translate-request.ts';
import type { Engine } from '../engine/engine.ts';
import { isJsonObject } from './request-body.ts';

/** For the cluster: a create body for `engine`, with the networks that it joins afterwards. */
export const translateCreate: TranslateCreate = (body, engine, call): TranslatedCreate => {
  const request = { operation: 'create container', body, version: call.version } as const;
  const translated = translateRequest(request, engineFacts(engine));
  const { version } = translated;
  return {
    body: leavesModeOpen(engine)
      ? withOpenNetworkMode(translated.body, (name) => isOfSwarm(engine, name))
      : translated.body,
    version,
    warnings: translated.warnings,
    followUps: translated.followUps.map((followUp) => (id) => connect(engine, version, { ...followUp, id })),
  };
};

function leavesModeOpen({ apiVersion, info }: Engine): boolean {
  return swarmMember(info).state === 'active' && compareApiVersion(apiVersion.max, '1.44') >= 0;
}

/** A network that the engine does not know is the swarm's, or nobody's. */
function isOfSwarm({ mirror }: Engine, reference: string): boolean {
  const rows = [...mirror.networks.values()];
  const known = rows.find(({ Id, Name }) => Name === reference || Id.startsWith(reference));
  return known?.Scope !== 'local';
}

export interface BodyOnItsWay {
  readonly method: string;
  /** On the engine, without the version. */
  readonly path: string;
  /** The client's API version. */
  readonly version: string;
  readonly body: Buffer;
}

/** The body as `engine` must get it; the same bytes when nothing is to be changed. Throws ApiError 400 where its meaning would get lost. */
export function translateBody({ method, path, version, body }: BodyOnItsWay, engine: Engine): Buffer {
  const operation = operationOf(method, path);
  const original = operation === undefined ? undefined : parseObject(body);
  if (operation === undefined || original === undefined) return body;
  const translated = translateRequest({ operation, body: original, version }, engineFacts(engine));
  return translated.body === original ? body : Buffer.from(JSON.stringify(translated.body));
}

const operations: readonly (readonly [RegExp, Operation])[] = [
  [/^\/containers\/[^/]+\/update$/, 'update container'],
  [/^\/containers\/[^/]+\/exec$/, 'create exec'],
  [/^\/networks\/[^/]+\/connect$/, 'connect network'],
];

function operationOf(method: string, path: string): Operation | undefined {
  return method === 'POST' ? operations.find(([pattern]) => pattern.test(path))?.[1] : undefined;
}

/** undefined when it is something else, which the engine has words for. */
function parseObject(bytes: Buffer): WireObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function engineFacts({ name, apiVersion, info, mirror }: Engine): EngineFacts {
  const cgroupVersion = info?.['CgroupVersion'];
  return {
    name,
    apiVersion,
    cgroupVersion: typeof cgroupVersion === 'string' ? cgroupVersion : '',
    networkId: (reference) => {
      const rows = [...mirror.networks.values()];
      const network =
        rows.find(({ Id }) => Id === reference) ??
        rows.find(({ Name }) => Name === reference) ??
        rows.find(({ Id }) => reference.length >= shortestPrefix && Id.startsWith(reference));
      return network?.Id ?? reference;
    },
  };
}

/** Shorter beginnings of ids are more likely names. */
const shortestPrefix = 4;

async function connect(
  engine: Engine,
  version: string,
  { id, network, endpoint }: FollowUp & { readonly id: string },
): Promise<void> {
  try {
    await engine.client.request({
      method: 'POST',
      path: `/networks/${encodeURIComponent(network)}/connect`,
      version,
      body: { Container: id, EndpointConfig: endpoint },
    });
  } catch (error) {
    // To clients, 404 from a create means that the image is missing.
    if (error instanceof ApiError && error.status === 404) throw badRequest(error.message, { cause: error });
    throw error;
  }
}
