// `npm start`: a cluster of real engines on this machine to play with, until Ctrl-C.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import { errorCode, errorMessage } from '../../../src/common/errors.ts';
import { aborted } from '../../../src/common/abort.ts';
import type { EngineRelease } from './engine.ts';
import { RigInUseError } from './owner-lock.ts';
import { MachineUnfitError } from './packages.ts';
import { demoKind, stateDirectory } from './rig-kind.ts';
import { startRig, type Rig } from './rig.ts';

interface StartOptions {
  readonly nodes: number;
  readonly discovery: 'embedded' | 'consul';
  readonly port: number;
  readonly engine: EngineRelease;
}

/** A reason not to start that the user can do something about; shown without a stack. */
class CannotStartError extends Error {}

process.exitCode = await main(readOptions());

async function main(options: StartOptions): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!interrupted.signal.aborted) console.log('\nStopping...');
      interrupted.abort();
    });
  }
  let rig: Rig | undefined;
  try {
    await requireFreePort(options.port);
    rig = await startDemo(options, interrupted.signal);
    console.log(invitation(options));
    await aborted(interrupted.signal);
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 0;
    console.error(explain(error));
    return 1;
  } finally {
    await rig?.stop();
    if (rig) console.log('Everything is stopped, nothing is left behind.');
  }
}

function readOptions(): StartOptions {
  return new Command('npm start --')
    .description('Starts real Docker engines on this machine, joins them to one cluster and serves it.')
    .addOption(new Option('--nodes <count>', 'engines to start').argParser(nodeCount).default(3))
    .addOption(
      new Option('--discovery <how>', 'how the manager finds the engines')
        .choices(['embedded', 'consul'])
        .default('embedded'),
    )
    .addOption(new Option('--port <port>', 'port on 127.0.0.1').argParser(portNumber).default(2375))
    .addOption(new Option('--engine <release>', 'Docker Engine').choices(['20.10', '26.1', '28.5']).default('20.10'))
    .parse()
    .opts<StartOptions>();
}

async function startDemo({ nodes, discovery, port, engine }: StartOptions, signal: AbortSignal): Promise<Rig> {
  console.log(`Starting ${nodes} Docker engines...`);
  return await startRig({
    kind: demoKind,
    engines: Array.from({ length: nodes }, () => engine),
    discovery,
    manager: { listen: [`tcp://127.0.0.1:${port}`] },
    say: (line) => {
      console.log(line);
    },
    signal,
    onUnexpectedExit: (ended) => {
      console.error(`${ended.name} ended unexpectedly; its log is ${ended.logFile}`);
    },
  });
}

function invitation({ nodes, port }: StartOptions): string {
  return `
Ready: ${nodes} engines are one Docker host at tcp://127.0.0.1:${port}

  export DOCKER_HOST=tcp://127.0.0.1:${port}

  docker info
  docker run -d --name hello busybox sleep 3600
  docker ps

Logs are in ${stateDirectory(demoKind)}. Ctrl-C stops everything.`;
}

/** Found out before anything is started; the demo's own manager would only say so in its log. */
async function requireFreePort(port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE') throw error;
    throw new CannotStartError(`Port ${port} on 127.0.0.1 is in use. Choose another: npm start -- --port ${port + 1}`, {
      cause: error,
    });
  }
}

function explain(error: unknown): string {
  if (error instanceof MachineUnfitError || error instanceof CannotStartError) return error.message;
  if (error instanceof RigInUseError) return `Cannot start: ${error.message}`;
  return `Cannot start: ${errorMessage(error)}`;
}

function nodeCount(text: string): number {
  return wholeNumber(text, 1, 50);
}

function portNumber(text: string): number {
  return wholeNumber(text, 1, 65_535);
}

function wholeNumber(text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`a whole number from ${least} to ${most} is expected.`);
}
