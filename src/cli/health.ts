// `shoal health`: whether the manager or the agent that a container runs does anything, for the container's health check.
// It reads the arguments of that process, so that the check fits whatever the container was told to do.
import { connect, type Socket } from 'node:net';
import { runCommandLine } from './program.ts';
import type { Environment } from './surroundings.ts';
import type { ListenAddress } from './values.ts';

/** Between the interpreter, or an init, and the arguments. */
const scriptPath = /(?:^|\/)(?:main\.js|shoal)$/;
const answerTimeoutMs = 3_000;

/** Of the text of `/proc/PID/cmdline`, in which each argument is ended by a zero byte. */
export function processArguments(text: string): readonly string[] {
  return text.replace(/\0$/, '').split('\0');
}

/**
 * `commandLine` is that of the container's first process. Rejects when an address on which the manager listens, or
 * the engine for which the agent speaks, does not answer in time.
 */
export async function runHealth(commandLine: readonly string[], env: Environment): Promise<void> {
  const script = commandLine.findIndex((argument) => scriptPath.test(argument));
  if (script === -1) throw new Error('the first process of this container is not shoal');
  const mistakes: string[] = [];
  const code = await runCommandLine(
    commandLine.slice(script + 1),
    '',
    {
      manage: async ({ listen }) => {
        await Promise.all(listen.map(reacts));
      },
      join: async ({ advertise, door }) => {
        await reacts(door?.listen ?? hostAndPort(advertise));
      },
      list: () => Promise.resolve(),
      health: () => Promise.resolve(),
      ca: () => Promise.resolve(),
    },
    { env, out: () => undefined, err: (text) => mistakes.push(text) },
  );
  if (code !== 0) throw new Error(mistakes.join('').trim());
}

/** Any bytes, or the end of the connection, are a reaction: with TLS a stranger gets no more than that. */
async function reacts(address: ListenAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = open(address);
    socket.setTimeout(answerTimeoutMs, () => {
      socket.destroy(new Error(`no answer within ${answerTimeoutMs} ms`));
    });
    socket.once('connect', () => {
      socket.write('GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    socket.once('data', () => {
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      resolve();
    });
  });
}

function open(address: ListenAddress): Socket {
  if (address.kind === 'unix') return connect(address.path);
  const { host, port } = address;
  if (host === '' || host === '0.0.0.0') return connect(port, '127.0.0.1');
  return connect(port, host === '::' ? '::1' : host);
}

function hostAndPort(address: string): ListenAddress {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { kind: 'tcp', host, port: Number(address.slice(colon + 1)) };
}
