// The headers that dockerd puts on every answer of a route. Clients negotiate by `Api-Version`, so these are
// always the manager's own and never an engine's.
import { maxApiVersion } from '../docker/api-version.ts';
import type { ApiSettings } from './settings.ts';

/** By name, for all answers except those of the router itself (unknown path, redirection). */
export function apiHeaders(settings: ApiSettings): Readonly<Record<string, string>> {
  return {
    'Api-Version': maxApiVersion,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `Docker/${settings.version} (linux)`,
  };
}
