// The benchmark: simulated engines, a manager over them, and load on the manager's API; prints a table. Whatever
// it starts has ended when it ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

const ownManagerAddress = '127.0.0.1:23750';

await run(parseOptions(process.argv.slice(2)));

async function run(options: BenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  const fleet = await Fleet.start(options);
  let manager: ManagerProcess | undefined;
  const api = new DockerAddress(options.target ?? ownManagerAddress);
  try {
    const members = options.membersFile ?? join(folder, 'members');
    writeFileSync(members, `${fleet.addresses.join('\n')}\n`);
    const startedAt = performance.now();
    if (options.target === undefined) manager = startManager(options, members, folder);
    printFact('machine', `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
    printFact('load', `${options.nodes} engines x ${options.containers} containers`);
    const view = await completeView(api, options, startedAt);
    printFact('from start to all listed', `${(view.listedMs / 1000).toFixed(2)} s`);
    printFact('from start to complete view', `${(view.completeMs / 1000).toFixed(2)} s`);
    if (manager !== undefined) printFact('CPU until then', `${manager.cpuSeconds().toFixed(1)} s`);
    printFact('whole list', mebibytes(view.listBytes));
    const cpuSeconds = manager === undefined ? undefined : manager.cpuSeconds.bind(manager);
    await measureAll({ api, ...options, cpuSeconds }, options, fleet, manager);
  } finally {
    api.close();
    await manager?.stop();
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startManager(options: BenchOptions, members: string, folder: string): ManagerProcess {
  return new ManagerProcess({
    script: options.managerScript,
    nodeArgs: options.nodeArgs,
    address: ownManagerAddress,
    discovery: `file://${members}`,
    logFile: join(folder, 'manager.log'),
  });
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
  if (options.hanging === 0) return;
  await fleet.hang(options.hanging);
  // Until their probes have failed: the figures are those of a cluster that knows what it lost.
  await delay(20_000);
  const others: Measurement[] = await measureReads(scene);
  for (const atOnce of options.creates) others.push(await measureCreates(scene, atOnce));
  printMeasurements(`${options.hanging} engines hang`, others);
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
