// Which differences between the manager and a plain engine are allowed, and why. One that is not listed fails the
// conformance test, and so does an entry that no longer occurs.
import { allowedPlaces, type AllowedPlace } from './allowed-places.ts';
import type { FoundDifference } from './run.ts';

export interface Verdict {
  /** Differences that no entry allows. */
  readonly unknown: readonly FoundDifference[];
  /** Entries that allowed nothing. */
  readonly unused: readonly AllowedPlace[];
}

export function judge(found: readonly FoundDifference[], allowed: readonly AllowedPlace[] = allowedPlaces): Verdict {
  const used = new Set<AllowedPlace>();
  const unknown = found.filter((difference) => {
    const place = allowed.find((candidate) => covers(candidate, difference));
    if (place !== undefined) used.add(place);
    return place === undefined;
  });
  return { unknown, unused: allowed.filter((place) => place.only !== 'mixed' && !used.has(place)) };
}

function covers({ scenario, route, at, only }: AllowedPlace, found: FoundDifference): boolean {
  if (only !== undefined && found.against !== only) return false;
  if (scenario !== '*' && found.scenario !== scenario) return false;
  if (route !== '*' && found.route !== route) return false;
  return at.endsWith('*') ? found.at.startsWith(at.slice(0, -1)) : found.at === at;
}
