// Exec: created in a running container, started once, echoing its input until the client ends it.
import { ApiError, conflict } from '../../../src/common/errors.ts';
import type { Call } from './call.ts';
import { requireRunning } from './container-lifecycle.ts';
import type { EngineState } from './engine-state.ts';
import { flagAt, textAt, textsAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { publishContainerEvent } from './lifecycle-events.ts';
import { pumpInput, streamContentType } from './raw-stream.ts';
import type { ContainerChange, ContainerRecord, ExecRecord } from './records.ts';
import { route } from './router.ts';
import { frame } from './stdcopy.ts';

export const execRoutes = [
  route('POST', '/containers/{name}/exec', create),
  route('POST', '/exec/{name}/start', start),
  route('POST', '/exec/{name}/resize', resize),
  route('GET', '/exec/{name}/json', inspect),
];

async function create(state: EngineState, call: Call, name: string): Promise<void> {
  const container = state.container(name);
  const body = await call.readJson();
  requireRunning(container);
  if (container.status === 'paused') {
    throw conflict(`Container ${container.name} is paused, unpause the container before exec`);
  }
  if (textsAt(body, 'Cmd').length === 0) throw new ApiError(400, 'No exec command specified');
  const exec: ExecRecord = { id: state.newId(), containerId: container.id, body, status: 'created', exitCode: 0 };
  state.execs.set(exec.id, exec);
  publishContainerEvent(state, container, `exec_create: ${commandLine(exec)}`, { execID: exec.id });
  call.json(201, { Id: exec.id });
}

async function start(state: EngineState, call: Call, id: string): Promise<void> {
  const exec = findExec(state, id);
  const options = await call.readJson();
  const container = state.container(exec.containerId);
  requireRunning(container);
  if (exec.status === 'running') throw conflict(`exec command ${id} is already running`);
  if (exec.status === 'ended') throw conflict(`exec command ${id} has already run`);
  exec.status = 'running';
  publishContainerEvent(state, container, `exec_start: ${commandLine(exec)}`, { execID: exec.id });
  if (!flagAt(options, 'Detach')) {
    runAttached(state, call, { exec, container, options });
    return;
  }
  end(state, container, exec);
  call.empty(200);
}

interface AttachedExec {
  readonly exec: ExecRecord;
  readonly container: ContainerRecord;
  readonly options: JsonObject;
}

/** Runs until the client ends its input or the container stops. */
function runAttached(state: EngineState, call: Call, { exec, container, options }: AttachedExec): void {
  const tty = flagAt(options, 'Tty') || flagAt(exec.body, 'Tty');
  const contentType = streamContentType(tty, call.version);
  const socket = call.hijack({ contentType, protocol: 'tcp', withEngineHeaders: true });
  const finish = (): void => {
    container.listeners.delete(onChange);
    end(state, container, exec);
    if (socket) state.gate.run(() => socket.end());
  };
  const onChange = (change: ContainerChange): void => {
    if (change.kind !== 'output') finish();
  };
  if (!socket) {
    finish();
    return;
  }
  container.listeners.add(onChange);
  call.gone.addEventListener('abort', finish, { once: true });
  pumpInput(state, socket, {
    onBytes: (bytes) => socket.write(tty ? bytes : frame('stdout', bytes)),
    onEnd: finish,
  });
}

function end(state: EngineState, container: ContainerRecord, exec: ExecRecord): void {
  if (exec.status === 'ended') return;
  exec.status = 'ended';
  publishContainerEvent(state, container, 'exec_die', { execID: exec.id, exitCode: String(exec.exitCode) });
}

function resize(state: EngineState, call: Call, id: string): void {
  const exec = findExec(state, id);
  if (exec.status !== 'running') throw new ApiError(500, `exec ${id} is not running`);
  call.empty(200);
}

function inspect(state: EngineState, call: Call, id: string): void {
  const exec = findExec(state, id);
  const [entrypoint = '', ...args] = textsAt(exec.body, 'Cmd');
  const tty = flagAt(exec.body, 'Tty');
  call.json(200, {
    ID: exec.id,
    Running: exec.status === 'running',
    ExitCode: exec.status === 'ended' ? exec.exitCode : null,
    ProcessConfig: { tty, entrypoint, arguments: args, privileged: false, user: textAt(exec.body, 'User') },
    OpenStdin: flagAt(exec.body, 'AttachStdin'),
    OpenStderr: flagAt(exec.body, 'AttachStderr'),
    OpenStdout: flagAt(exec.body, 'AttachStdout'),
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: '',
    Pid: exec.status === 'running' ? 4242 : 0,
  });
}

function findExec(state: EngineState, id: string): ExecRecord {
  const exec = state.execs.get(id);
  if (!exec) throw new ApiError(404, `No such exec instance: ${id}`);
  return exec;
}

function commandLine(exec: ExecRecord): string {
  return textsAt(exec.body, 'Cmd').join(' ');
}
