// Answers that last: attach, logs, stats and wait. A container's program is an echo: what comes on its stdin goes
// to its stdout. Every stream ends with its client, its container or the engine, whichever is first.
import { badRequest } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import type { Call } from './call.ts';
import { exitContainer, isRunning, printOutput } from './container-lifecycle.ts';
import { timeText } from './engine-state.ts';
import type { EngineState } from './engine-state.ts';
import { flagAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { publishContainerEvent } from './lifecycle-events.ts';
import { flag, text } from './query.ts';
import type { ContainerChange, ContainerRecord, OutputLine } from './records.ts';
import { route } from './router.ts';
import { frame } from './stdcopy.ts';
import { pumpInput, streamContentType } from './raw-stream.ts';

export const containerStreamRoutes = [
  route('POST', '/containers/{name}/attach', attach),
  route('GET', '/containers/{name}/logs', logs),
  route('GET', '/containers/{name}/stats', stats),
  route('POST', '/containers/{name}/wait', wait),
];

async function attach(state: EngineState, call: Call, name: string): Promise<void> {
  const container = state.findContainer(name);
  if (!container && !isAtLeast(state.settings.apiVersion, '1.42')) {
    call.bytes(404, 'application/vnd.docker.raw-stream', Buffer.from(`No such container: ${name}\r\n`));
    return;
  }
  await call.readBody();
  attachTo(state, call, container ?? state.container(name));
}

/** A client that gives stdin ends the stream by ending its side; one that only listens does not. */
function attachTo(state: EngineState, call: Call, container: ContainerRecord): void {
  const contentType = streamContentType(container.tty, call.version);
  const socket = call.hijack({ contentType, protocol: 'tcp', withEngineHeaders: false });
  publishContainerEvent(state, container, 'attach');
  if (!socket) return;
  const takesInput = flag(call.query, 'stdin');
  const send = (line: OutputLine): void => {
    if (!flag(call.query, line.stream)) return;
    state.gate.run(() => socket.write(container.tty ? line.bytes : frame(line.stream, line.bytes)));
  };
  if (flag(call.query, 'logs')) container.output.forEach(send);
  if (!flag(call.query, 'stream')) {
    state.gate.run(() => socket.end());
    return;
  }
  listen(call, container, (change) => {
    if (change.kind === 'output') send(change.line);
    else state.gate.run(() => socket.end());
  });
  pumpInput(state, socket, {
    onBytes: (bytes) => {
      if (takesInput) printOutput(state, container, { stream: 'stdout', bytes });
    },
    onEnd: () => {
      if (!takesInput) return;
      state.gate.run(() => socket.end());
      if (flagAt(container.body, 'StdinOnce')) closeStdin(state, container);
    },
  });
}

/** The echo ends with its input; one that has not started yet ends when it does. */
function closeStdin(state: EngineState, container: ContainerRecord): void {
  container.stdinClosed = true;
  if (isRunning(container)) exitContainer(state, container, 0);
}

function logs(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  if (!flag(call.query, 'stdout') && !flag(call.query, 'stderr')) {
    throw badRequest('Bad parameters: you must choose at least one stream');
  }
  const send = (line: OutputLine): void => {
    if (!flag(call.query, line.stream)) return;
    const stamp = flag(call.query, 'timestamps') ? `${timeText(line.timeNano)} ` : '';
    const bytes = Buffer.concat([Buffer.from(stamp), line.bytes]);
    call.write(container.tty ? bytes : frame(line.stream, bytes));
  };
  call.open(streamContentType(container.tty, call.version));
  const wanted = container.output.filter((line) => flag(call.query, line.stream));
  const tail = call.query.get('tail') ?? 'all';
  const count = /^\d+$/.test(tail) ? Number(tail) : wanted.length;
  wanted.slice(wanted.length - Math.min(count, wanted.length)).forEach(send);
  if (!flag(call.query, 'follow') || !isRunning(container)) {
    call.end();
    return;
  }
  listen(call, container, (change) => {
    if (change.kind === 'output') send(change.line);
    else call.end();
  });
}

async function stats(state: EngineState, call: Call, name: string): Promise<void> {
  const container = state.container(name);
  if (!flag(call.query, 'stream', true)) {
    call.json(200, statsDocument(state, container));
    return;
  }
  call.open('application/json');
  while (!call.gone.aborted && state.containers.has(container.id)) {
    call.write(`${JSON.stringify(statsDocument(state, container))}\n`);
    await call.sleep(1000);
  }
  call.end();
}

/** All zero for a container that does not run. */
function statsDocument(state: EngineState, container: ContainerRecord): JsonObject {
  const isAlive = isRunning(container);
  const cpu = {
    cpu_usage: { total_usage: isAlive ? 50_000_000 : 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    ...(isAlive && { system_cpu_usage: 10_000_000_000, online_cpus: state.settings.cpus }),
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };
  return {
    read: timeText(isAlive ? state.journal.nowNano() : 0n),
    preread: timeText(0n),
    pids_stats: isAlive ? { current: 1 } : {},
    blkio_stats: { io_service_bytes_recursive: null },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu,
    precpu_stats: cpu,
    memory_stats: isAlive ? { usage: 4_194_304, limit: state.settings.memoryBytes, stats: {} } : {},
    name: `/${container.name}`,
    id: container.id,
    ...(isAlive && { networks: { eth0: { rx_bytes: 0, tx_bytes: 0 } } }),
  };
}

/** The headers leave before the wait is over, from API 1.30 on: `docker run` starts the container only then. */
function wait(state: EngineState, call: Call, name: string): void {
  const condition = text(call.query, 'condition', 'not-running');
  if (!['not-running', 'next-exit', 'removed'].includes(condition) && isAtLeast(state.settings.apiVersion, '1.42')) {
    throw badRequest(`invalid condition: "${condition}"`);
  }
  const container = state.container(name);
  const finish = (): void => {
    const answer = {
      ...(!isAtLeast(state.settings.apiVersion, '1.52') && { Error: null }),
      StatusCode: container.exitCode,
    };
    call.end(Buffer.from(`${JSON.stringify(answer)}\n`));
  };
  call.open('application/json');
  if (!['next-exit', 'removed'].includes(condition) && !isRunning(container)) {
    finish();
    return;
  }
  const unlisten = listen(call, container, (change) => {
    const isOver = change.kind === 'remove' || (change.kind === 'exit' && condition !== 'removed');
    if (!isOver) return;
    unlisten();
    finish();
  });
}

/** Until the call is over or the result is called. */
function listen(call: Call, container: ContainerRecord, listener: (change: ContainerChange) => void): () => void {
  const unlisten = (): void => {
    container.listeners.delete(listener);
  };
  if (call.gone.aborted) return unlisten;
  container.listeners.add(listener);
  call.gone.addEventListener('abort', unlisten, { once: true });
  return unlisten;
}
