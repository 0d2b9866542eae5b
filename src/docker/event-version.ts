// Which events clients of an API version are told of.
import { compareApiVersion } from './api-version.ts';
import type { DockerEvent } from './types.ts';

/** That an image was made is told since API 1.46; older clients would take it for the event of a container. */
export function isToldAt(version: string, { Type, Action }: Pick<DockerEvent, 'Type' | 'Action'>): boolean {
  return Type !== 'image' || Action !== 'create' || compareApiVersion(version, '1.46') >= 0;
}
