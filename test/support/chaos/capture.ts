// Who wrote to the engines, by the packets on the bridge, and who was the primary, by the managers' logs.
import { readFileSync } from 'node:fs';
import { systemEnvironment } from '../rig/command.ts';
import { bridgeName, stateDirectory } from '../rig/rig-kind.ts';
import { RigProcess } from '../rig/rig-process.ts';
import type { Term, Write } from './history.ts';
import type { Scene } from './scene.ts';

/** The first four bytes of what a segment carries. */
const segmentBegin = 'tcp[((tcp[12:1] & 0xf0) >> 2):4]';
const changes = ['0x504f5354', '0x44454c45', '0x50555420'].map((word) => `${segmentBegin} = ${word}`).join(' or ');
const bytesOfPacket = 400;

/** Begins to write down every segment with the head of a request that is no read, until the process is ended. */
export async function startCapture({ kind, engines }: Scene): Promise<RigProcess> {
  const towards = engines.map(({ machine }) => `dst host ${machine.address}`).join(' or ');
  const capture = await RigProcess.start({
    kind,
    name: 'capture',
    command: 'tcpdump',
    args: [
      ...['-i', bridgeName(kind), '-n', '-l', '-tt', '-A', '-s', String(bytesOfPacket)],
      `tcp dst port 2375 and (${towards}) and (${changes})`,
    ],
    env: systemEnvironment(),
    logFile: `${stateDirectory(kind)}/capture.log`,
  });
  return capture;
}

/** What tcpdump has written. A segment that is sent again has arrived once: the first time that it came by. */
export function parseCapture(text: string, names: ReadonlyMap<string, string>): Write[] {
  const writes: Write[] = [];
  const known = new Set<string>();
  let head: Head | undefined;
  for (const line of text.split('\n')) {
    head = parseHead(line) ?? head;
    const what = /(?:POST|DELETE|PUT) (\S+) HTTP\/1/.exec(line)?.[0];
    if (head === undefined || what === undefined) continue;
    const { atMs, source, port, target, sequence } = head;
    const key = `${source} ${port} ${target} ${sequence}`;
    if (!known.has(key)) {
      known.add(key);
      writes.push({ atMs, manager: names.get(source) ?? source, node: names.get(target) ?? target, what });
    }
    head = undefined;
  }
  return writes;
}

interface Head {
  readonly atMs: number;
  readonly source: string;
  readonly port: string;
  readonly target: string;
  readonly sequence: string;
}

const headPattern = /^(\d+\.\d+) IP ([\d.]+)\.(\d+) > ([\d.]+)\.\d+: Flags \[[^\]]*\], seq (\d+)/;

function parseHead(line: string): Head | undefined {
  const [, at, source, port, target, sequence] = headPattern.exec(line) ?? [];
  if (at === undefined || source === undefined || port === undefined) return undefined;
  return { atMs: Number(at) * 1000, source, port, target: target ?? '', sequence: sequence ?? '' };
}

export function readWrites(scene: Scene, capture: RigProcess): Write[] {
  const names = new Map([...scene.machines].map(([name, { address }]) => [address, name] as const));
  return parseCapture(readFileSync(capture.logFile, 'utf8'), names);
}

export function readTerms(scene: Scene): Term[] {
  return [...scene.managers].flatMap(([name, manager]) => parseTerms(name, manager.log()));
}

/** The moments at which a manager said in its log that it is the primary. */
export function parseTerms(manager: string, log: string): Term[] {
  return log.split('\n').flatMap((line) => {
    const [, at, term] = /^(\S+) info +this manager is the primary term=(\d+)/.exec(line) ?? [];
    return at === undefined ? [] : [{ manager, startMs: Date.parse(at), term: Number(term) }];
  });
}
