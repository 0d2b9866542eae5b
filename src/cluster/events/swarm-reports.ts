// The managers of a swarm report what happens in it, each of them: a reader is told once. Their reports of one event do
// not agree on its time, so it is counted how often each of them has reported the same.
import { RecentMap } from '../../common/recent-map.ts';
import type { ClusterEvent } from './cluster-event.ts';

interface Reported {
  /** Of the last report that was told. */
  timeNano: number;
  told: number;
  readonly reports: Map<string, number>;
}

/** Reports that lie further apart are not of the same event, whoever they come from. */
const windowNs = 30e9;
const maxRemembered = 256;

export class SwarmReports {
  readonly #reported = new RecentMap<string, Reported>(maxRemembered);

  /** Whether another manager has told the event; to be asked once for each report. */
  isRepeated({ scope, timeNano, node, ...event }: ClusterEvent): boolean {
    if (scope !== 'swarm') return false;
    const reported = this.#reportedLike(subjectOf(event), timeNano);
    const reports = (reported.reports.get(node.Id) ?? 0) + 1;
    reported.reports.set(node.Id, reports);
    if (reports <= reported.told) return true;
    reported.told = reports;
    reported.timeNano = timeNano;
    return false;
  }

  #reportedLike(subject: string, timeNano: number): Reported {
    const known = this.#reported.get(subject);
    if (known !== undefined && Math.abs(timeNano - known.timeNano) <= windowNs) return known;
    const reported = { timeNano, told: 0, reports: new Map<string, number>() };
    this.#reported.set(subject, reported);
    return reported;
  }
}

/** What happened to what, without the marks of the node that reports it. */
function subjectOf({ Type, Action, Actor }: Pick<ClusterEvent, 'Type' | 'Action' | 'Actor'>): string {
  const attributes = Object.entries(Actor.Attributes ?? {}).filter(([name]) => !name.startsWith('node.'));
  return JSON.stringify([Type, Action, Actor.ID, attributes.sort()]);
}
