// Every script of the conformance run, and which of them are played at which version.
import { minApiVersion } from '../../../src/docker/api-version.ts';
import type { Scenario } from './exchange.ts';
import { containerScenarios } from './scenarios/containers.ts';
import { metaScenarios } from './scenarios/meta.ts';
import { objectScenarios } from './scenarios/objects.ts';
import { refusalScenarios } from './scenarios/refusals.ts';
import { streamScenarios } from './scenarios/streams.ts';

/** `archive` is the path of busybox as `docker save` writes it. */
export function allScenarios(archive: string): readonly Scenario[] {
  return [
    ...metaScenarios,
    ...refusalScenarios,
    ...containerScenarios,
    ...streamScenarios,
    ...objectScenarios(archive),
  ];
}

/** The versions of clients that are played against engines whose newest is `newest`. */
export function playedVersions(newest: string): readonly string[] {
  return newest === '1.41' ? ['1.24', '1.41'] : ['1.24', '1.41', '1.44', '1.51'];
}

export function scenariosAt(version: string, newest: string, all: readonly Scenario[]): readonly Scenario[] {
  const isOuter = version === newest || version === minApiVersion;
  return all.filter(({ versions }) => versions === 'every' || version === newest || (versions === 'outer' && isOuter));
}
