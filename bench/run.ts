// The benchmark: simulated engines, a manager over them, and load on the manager's API; prints a table. Whatever
// it starts has ended when it ends.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { completeView } from './complete-view.ts';
import { DockerAddress } from './docker-address.ts';
import { Fleet } from './fleet.ts';
import { ManagerProcess } from './manager-process.ts';
import type { Measurement } from './measure.ts';
import { parseOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { mebibytes, printFact, printMeasurements } from './report.ts';
import { measureCreates, measureEventDelay, measureReads } from './scenarios.ts';
import type { Scene } from './scenarios.ts';
import { soak } from './soak.ts';

process.exitCode = await run(parseOptions(process.argv.slice(2)));

/** The code to exit with: 1 when a soak found something. */
async function run(options: BenchOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  const fleet = await Fleet.start(options);
  let manager: ManagerProcess | undefined;
  const address = options.target ?? `127.0.0.1:${await freePort()}`;
  const api = new DockerAddress(address);
  try {
    const members = options.membersFile ?? join(folder, 'members');
    writeFileSync(members, `${fleet.addresses.join('\n')}\n`);
    const startedAt = performance.now();
    if (options.target === undefined) manager = startManager(options, { address, members, folder });
    printFact('machine', `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
    printFact('load', `${options.nodes} engines x ${options.containers} containers`);
    const assertRunning = (): void => {
      if (manager?.hasEnded === true) throw new Error(`the manager has ended: ${manager.log()}`);
    };
    const view = await completeView(api, { ...options, assertRunning }, startedAt);
    printFact('from start to all listed', `${(view.listedMs / 1000).toFixed(2)} s`);
    printFact('from start to complete view', `${(view.completeMs / 1000).toFixed(2)} s`);
    if (manager !== undefined) printFact('CPU until then', `${manager.cpuSeconds().toFixed(1)} s`);
    printFact('whole list', mebibytes(view.listBytes));
    if (options.soakSeconds !== undefined && manager !== undefined)
      return printSoak(await soak({ api, fleet, manager, nodes: options.nodes, seconds: options.soakSeconds }));
    const cpuSeconds = manager === undefined ? undefined : manager.cpuSeconds.bind(manager);
    await measureAll({ api, ...options, cpuSeconds }, options, fleet, manager);
    return 0;
  } finally {
    api.close();
    await manager?.stop();
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface ManagerPlace {
  readonly address: string;
  /** The file of the engines' addresses. */
  readonly members: string;
  readonly folder: string;
}

function startManager(options: BenchOptions, { address, members, folder }: ManagerPlace): ManagerProcess {
  return new ManagerProcess({
    script: options.managerScript,
    nodeArgs: options.nodeArgs,
    address,
    discovery: `file://${members}`,
    logFile: join(folder, 'manager.log'),
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function printSoak(violations: readonly string[]): number {
  for (const violation of violations) printFact('violated', violation);
  if (violations.length === 0) printFact('violated', 'nothing');
  return violations.length === 0 ? 0 : 1;
}

async function measureAll(
  scene: Scene,
  options: BenchOptions,
  fleet: Fleet,
  manager: ManagerProcess | undefined,
): Promise<void> {
  if (manager !== undefined) await printIdle(manager, options.idleSeconds);
  const measurements: Measurement[] = await measureReads(scene);
  for (const atOnce of options.creates) measurements.push(await measureCreates(scene, atOnce));
  measurements.push(await measureEventDelay(scene, fleet));
  printMeasurements('all engines answer', measurements);
  if (manager !== undefined) printFact('memory after the load (RSS, peak)', memory(manager));
  const faults = await inflictFaults(fleet, options);
  if (faults === '') return;
  // Until their probes have failed: the figures are those of a cluster that knows what it lost.
  await delay(20_000);
  const others: Measurement[] = await measureReads(scene);
  for (const atOnce of options.creates) others.push(await measureCreates(scene, atOnce));
  printMeasurements(faults, others);
}

/** Each fault strikes engines of its own; resolves with what was done, '' for nothing. */
async function inflictFaults(fleet: Fleet, { faulty }: BenchOptions): Promise<string> {
  const done: string[] = [];
  let firstNode = 1;
  for (const fault of ['hang', 'refuse', 'slow', 'drop'] as const) {
    const count = faulty[fault];
    if (count === 0) continue;
    await fleet.inflict(fault, firstNode, count);
    firstNode += count;
    done.push(`${count} engines ${fault}`);
  }
  return done.join(', ');
}

async function printIdle(manager: ManagerProcess, seconds: number): Promise<void> {
  printFact('memory with the view (RSS, peak)', memory(manager));
  if (seconds === 0) return;
  await delay(2_000);
  const before = manager.cpuSeconds();
  await delay(seconds * 1000);
  const share = ((manager.cpuSeconds() - before) / seconds) * 100;
  printFact('CPU while idle', `${share.toFixed(1)} % of one core`);
  printFact('memory while idle (RSS, peak)', memory(manager));
}

function memory(manager: ManagerProcess): string {
  return `${mebibytes(manager.rssBytes())}, ${mebibytes(manager.peakRssBytes())}`;
}
