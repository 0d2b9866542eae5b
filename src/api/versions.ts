// API versions: which ones the manager speaks, and at which one a call runs on a given engine. The advertised
// window is the same for the life of the process, because clients negotiate once.
import { ApiError, badRequest } from '../common/errors.ts';
import {
  compareApiVersion,
  effectiveVersion as effectiveVersionWithin,
  maxApiVersion,
  minApiVersion,
} from '../docker/api-version.ts';
import type { Engine } from '../engine/engine.ts';

/** A client of a version before 1.24, whose errors are plain text. */
export class ClientTooOldError extends ApiError {
  constructor(version: string) {
    super(
      400,
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, ` +
        `please upgrade your client to a newer version`,
    );
  }
}

/** The version of a call whose path carried `asked`; absent means the newest. Throws ApiError 400 outside the window. */
export function clientVersion(asked: string | undefined): string {
  if (asked === undefined) return maxApiVersion;
  if (compareApiVersion(asked, maxApiVersion) > 0) {
    throw badRequest(`client version ${asked} is too new. Maximum supported API version is ${maxApiVersion}`);
  }
  if (compareApiVersion(asked, minApiVersion) < 0) throw new ClientTooOldError(asked);
  return asked;
}

/** The version at which a call of `version` runs on `engine`: the client's own where the engine speaks it. */
export function effectiveVersion(version: string, engine: Pick<Engine, 'apiVersion'>): string {
  return effectiveVersionWithin(version, engine.apiVersion);
}

/** `path` with the effective version in front and the query string behind. */
export function effectivePath(
  call: { readonly version: string },
  engine: Pick<Engine, 'apiVersion'>,
  request: { readonly path: string; readonly search: string },
): string {
  const query = request.search === '' ? '' : `?${request.search}`;
  return `/v${effectiveVersion(call.version, engine)}${request.path}${query}`;
}
