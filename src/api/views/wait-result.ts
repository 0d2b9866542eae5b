// The body of POST /containers/{name}/wait as the client's API version has it.
import { compareApiVersion } from '../../docker/api-version.ts';
import { goMember, isWireObject } from '../../docker/go-member.ts';

export interface Wait {
  /** The client's API version. */
  readonly version: string;
  readonly condition: string;
}

/** Clients before API 1.34 take an empty answer, and nothing else, for a removal that failed. */
export function waitResult(result: Buffer, { version, condition }: Wait): Buffer {
  const tellsFailures = compareApiVersion(version, '1.34') >= 0 || condition !== 'removed';
  if (tellsFailures || result.length === 0) return result;
  return isWireObject(goMember(JSON.parse(result.toString('utf8')), 'Error')) ? Buffer.alloc(0) : result;
}
