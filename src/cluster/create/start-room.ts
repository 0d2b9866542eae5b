// Room for a stopped container that is started: what it asked for was given to others meanwhile, so its node is asked
// again. The room is held until the mirror shows the container running, so that no two starts get the same.
import { conflict } from '../../common/errors.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { placementRequest } from '../../scheduler/request.ts';
import type { Scheduler } from '../../scheduler/scheduler.ts';
import type { NodeView } from '../nodes/node-view.ts';

/** The result gives the room back. Throws 409 when the node has not enough memory or CPUs left. */
export function holdRoom(view: NodeView, record: ContainerRecord, scheduler: Scheduler): () => void {
  const stopped = view.findContainer(record.id);
  if (stopped === undefined || stopped.isActive) return () => undefined;
  const { nanoCpus, memoryBytes } = view.demandOf(record);
  const request = placementRequest({ HostConfig: { NanoCpus: nanoCpus, Memory: memoryBytes } });
  const resources = scheduler.filters.find(({ name }) => name === 'resources');
  const refusing = resources?.requirements(request, [view]).find((requirement) => !requirement.accepts(view));
  if (refusing !== undefined) {
    const reason = refusing.reason?.(view) ?? refusing.description;
    throw conflict(`no resources available to start container ${record.name}\n  ${view.name}: ${reason}`);
  }
  const id = `start of ${record.id}`;
  view.reserve({
    container: { ...stopped, id, name: '', labels: {}, isActive: true, nanoCpus, memoryBytes },
    ports: [],
    portsHeldUntilMs: Infinity,
  });
  return () => {
    view.giveUp(id);
  };
}
