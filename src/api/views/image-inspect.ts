// GET /images/{name}/json in the shape of the client's API version: fields that newer engines left out are put back
// for clients that read them without looking.
import { compareApiVersion } from '../../docker/api-version.ts';
import type { WireObject } from '../../docker/types.ts';

/** `image` as an engine of `version` would write it. */
export function imageInspectFor(version: string, image: WireObject): WireObject {
  return { ...legacyConfig(version, image), ...legacySize(version, image), ...image };
}

/** docker-compose 1.x reads ContainerConfig of every image. */
function legacyConfig(version: string, image: WireObject): WireObject {
  return compareApiVersion(version, '1.45') < 0 ? { Container: '', ContainerConfig: image['Config'] ?? {} } : {};
}

function legacySize(version: string, image: WireObject): WireObject {
  return compareApiVersion(version, '1.44') < 0 ? { VirtualSize: image['Size'] ?? 0 } : {};
}
