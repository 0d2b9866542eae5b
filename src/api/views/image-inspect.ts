// GET /images/{name}/json in the shape of the client's API version: fields that newer engines left out are put back
// for clients that read them without looking.
import { compareApiVersion } from '../../docker/api-version.ts';
import type { WireObject } from '../../docker/types.ts';

/** `image` as an engine of `version` would write it. `userAgent` is the client's; undefined when it sent none. */
export function imageInspectFor(version: string, image: WireObject, userAgent: string | undefined): WireObject {
  const readsConfig = compareApiVersion(version, '1.45') < 0 || isFirstCompose(userAgent);
  return { ...(readsConfig ? legacyConfig(image) : {}), ...legacySize(version, image), ...image };
}

/** It asks at the newest version offered, and ends with an error where an image has no ContainerConfig. */
function isFirstCompose(userAgent = ''): boolean {
  return userAgent.startsWith('docker-compose/1.');
}

function legacyConfig(image: WireObject): WireObject {
  return { Container: '', ContainerConfig: image['Config'] ?? {} };
}

function legacySize(version: string, image: WireObject): WireObject {
  return compareApiVersion(version, '1.44') < 0 ? { VirtualSize: image['Size'] ?? 0 } : {};
}
