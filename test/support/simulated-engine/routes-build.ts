// The legacy builder: answers while the context is still coming, and makes the images that `t` names.
import { badRequest } from '../../../src/common/errors.ts';
import type { Call } from './call.ts';
import type { EngineState } from './engine-state.ts';
import { digestOf } from './image-reference.ts';
import type { JsonObject } from './json.ts';
import { publishImageEvent } from './lifecycle-events.ts';
import { flag, text } from './query.ts';
import { route } from './router.ts';
import { readFromTar } from './tar.ts';

export const buildRoutes = [
  route('POST', '/build', build),
  route('POST', '/build/cancel', cancel),
  route('POST', '/build/prune', prune),
];

/** A Dockerfile with the line `RUN false` fails in mid-stream. */
async function build(state: EngineState, call: Call): Promise<void> {
  const send = (line: JsonObject): void => {
    call.write(`${JSON.stringify(line)}\r\n`);
  };
  const isQuiet = flag(call.query, 'q');
  call.open('application/json');
  if (!isQuiet) send({ stream: 'Step 1/1 : FROM scratch' });
  const context = await call.readBody();
  const dockerfile = readFromTar(context, text(call.query, 'dockerfile', 'Dockerfile'))?.toString('utf8') ?? '';
  if (/^RUN false$/m.test(dockerfile)) {
    const message = "The command '/bin/sh -c false' returned a non-zero code: 1";
    send({ errorDetail: { code: 1, message }, error: message });
    call.end();
    return;
  }
  const id = digestOf(`build ${state.newId()}`);
  const references = call.query.getAll('t');
  const facts = { id, createdNano: state.journal.nowNano(), repoDigests: [] };
  if (references.length === 0) state.images.set(id, { ...state.addImage(id, facts), repoTags: [] });
  for (const reference of references) {
    state.addImage(reference, facts);
    publishImageEvent(state, id, 'tag', reference);
  }
  send({ aux: { ID: id } });
  send({ stream: isQuiet ? `${id}\n` : `Successfully built ${id.slice(7, 19)}\n` });
  if (!isQuiet) for (const reference of references) send({ stream: `Successfully tagged ${reference}\n` });
  call.end();
}

function cancel(_state: EngineState, call: Call): void {
  if ((call.query.get('id') ?? '') === '') throw badRequest('build ID not provided');
  call.empty(200);
}

function prune(_state: EngineState, call: Call): void {
  call.json(200, { CachesDeleted: null, SpaceReclaimed: 0 });
}
