// GET /events: the merged events of all engines as a stream that begins at once and ends when the client goes,
// at `until`, or with the manager.
import { once } from 'node:events';
import { badRequest } from '../../common/errors.ts';
import { parseUnixTimestamp } from '../../docker/docker-time.ts';
import { eventLine } from '../../docker/event-line.ts';
import { isToldAt } from '../../docker/event-version.ts';
import { parseFilters } from '../../docker/filters.ts';
import type { ApiCall } from '../api-call.ts';
import { markPartial } from '../silent-nodes.ts';

export async function streamEvents(call: ApiCall): Promise<void> {
  const { cluster, query, res, signal } = call;
  const filters = parseFilters(query.get('filters'));
  const sinceNs = moment(query.get('since'));
  const untilNs = moment(query.get('until'));
  if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs) {
    throw badRequest(
      `\`since\` time (${query.get('since') ?? ''}) cannot be after \`until\` time (${query.get('until') ?? ''})`,
    );
  }
  markPartial(call);
  const events = cluster.events.subscribe({ sinceNs, untilNs, filters, signal });
  res.writeHead(200, { 'Content-Type': 'application/json' });
  // Clients subscribe first and list afterwards: they wait for this head, however quiet the cluster is.
  res.flushHeaders();
  for await (const event of events) {
    if (!isToldAt(call.version, event)) continue;
    if (!res.write(eventLine(event)) && !signal.aborted) await drained(call);
  }
  res.end();
}

/** Unix seconds with an optional fraction; undefined for nothing. 0 is the year 1970, as everywhere. */
function moment(text: string | null): bigint | undefined {
  if (text === null || text === '') return undefined;
  const ns = parseUnixTimestamp(text);
  if (ns === undefined) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return ns;
}

async function drained({ res, signal }: ApiCall): Promise<void> {
  try {
    await once(res, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
