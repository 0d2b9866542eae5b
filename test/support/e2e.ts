// The end-to-end run: each file of test/e2e in a mocha of its own on real engines, three files at a time on a rig each.
// A file that fails gets one more chance on a fresh rig, and the summary says so. Nothing may be left behind at the end.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { aborted } from '../../src/common/abort.ts';
import { Deadline } from '../../src/common/deadline.ts';
import { errorMessage } from '../../src/common/errors.ts';
import { exitCode, runOrThrow, spawnMortal } from './rig/command.ts';
import { leftovers, removeLeftovers } from './rig/leftovers.ts';
import { acquireOwnerLock, RigInUseError } from './rig/owner-lock.ts';
import { preparePackages } from './rig/packages.ts';
import { allKinds, kindVariable, projectDirectory, rigKindNamed, testKinds, type RigKind } from './rig/rig-kind.ts';
import { logsVariable } from './rig/rig.ts';

interface Outcome {
  readonly file: string;
  readonly verdict: 'passed' | 'passed at the second attempt' | 'FAILED';
  readonly seconds: number;
}

interface Place {
  readonly kind: RigKind;
  /** For each file. */
  readonly limitMs: number;
}

const logsDirectory = `${projectDirectory}/.cache/e2e-logs`;
const fileLimitMs = 5 * 60_000;
/** Who names files may ask for the long runs of them. */
const namedFileLimitMs = 90 * 60_000;
/** Most of a file's time is waiting. */
const filesAtOnce = 3;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}
try {
  process.exitCode = await runAll(process.argv.slice(2));
} catch (error) {
  console.error(errorMessage(error));
  process.exitCode = 1;
}

async function runAll(asked: readonly string[]): Promise<number> {
  await runOrThrow('sh', [`${projectDirectory}/.ci/prepare`], { timeoutMs: 600_000 });
  await preparePackages(
    [
      ...(['engine-20.10', 'engine-28.5', 'consul', 'buildx', 'compose-v1', 'compose-v2', 'terminal'] as const),
      ...(['etcd', 'zookeeper', 'haproxy'] as const),
    ],
    (line) => {
      console.log(line);
    },
  );
  await removeAbandonedRigs();
  rmSync(logsDirectory, { recursive: true, force: true });
  const waiting = asked.length > 0 ? [...asked] : allFiles();
  const kinds = await freeTestKinds(Math.min(filesAtOnce, waiting.length));
  const limitMs = asked.length > 0 ? namedFileLimitMs : fileLimitMs;
  const outcomes = (await Promise.all(kinds.map((kind) => runFiles(waiting, { kind, limitMs })))).flat();
  const remaining = (await Promise.all(kinds.map((kind) => leftovers(kind)))).flat();
  await removeAbandonedRigs();
  return summarise(outcomes, remaining);
}

/** Takes one file after another from `waiting`, which others take from too. */
async function runFiles(waiting: string[], place: Place): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let file = waiting.shift(); file !== undefined && !interrupted.signal.aborted; file = waiting.shift()) {
    outcomes.push(await runFile(file, place));
  }
  return outcomes;
}

function allFiles(): string[] {
  return readdirSync(`${projectDirectory}/test/e2e`)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => `test/e2e/${name}`);
}

async function runFile(file: string, place: Place): Promise<Outcome> {
  const start = performance.now();
  let verdict: Outcome['verdict'] = 'passed';
  if ((await runMocha(file, place, 'first')) !== 0) {
    console.log(`${file} failed; once more on a fresh rig (logs: ${logsDirectory})`);
    await removeAbandonedRig(place.kind);
    const again = interrupted.signal.aborted ? 1 : await runMocha(file, place, 'second');
    verdict = again === 0 ? 'passed at the second attempt' : 'FAILED';
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${file}: ${verdict}, ${seconds} s`);
  return { file, verdict, seconds };
}

/** Resolves with mocha's exit code. Mocha's own process is ours to kill: its wrapper would leave it behind. */
async function runMocha(file: string, { kind, limitMs }: Place, attempt: 'first' | 'second'): Promise<number> {
  const mocha = `${projectDirectory}/node_modules/mocha/lib/cli/cli.js`;
  const options = [
    '--no-config',
    '--reporter',
    'spec',
    '--timeout',
    '120000',
    '--retries',
    '2',
    '--fail-zero',
    '--forbid-only',
  ];
  const logs = `${logsDirectory}/${basename(file, '.test.ts')}-${attempt}`;
  mkdirSync(logs, { recursive: true });
  // Shown as a whole at the end of the file: files at once would be mixed line by line.
  const report = `${logs}/report.txt`;
  const reportFile = openSync(report, 'w');
  const child = spawnMortal(process.execPath, ['--import', 'tsx', mocha, ...options, file], {
    cwd: projectDirectory,
    stdio: ['ignore', reportFile, reportFile],
    env: {
      ...process.env,
      [kindVariable]: kind.name,
      [logsVariable]: logs,
    },
  });
  const done = new AbortController();
  const limit = new Deadline(limitMs, [done.signal, interrupted.signal]);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      resolve(exitCode(code, signal));
    });
  });
  const stopped = aborted(limit.signal).then(() => child.kill('SIGKILL'));
  try {
    const code = await ended;
    return code === 0 && !hasFoundTests(report) ? 1 : code;
  } finally {
    done.abort();
    await stopped;
    limit.clear();
    closeSync(reportFile);
    process.stdout.write(readFileSync(report));
  }
}

/** Mocha ends with 0 too when it is not the program that was started, as where node_modules is a link. */
function hasFoundTests(report: string): boolean {
  return /^ +[1-9]\d* (?:passing|pending)/m.test(readFileSync(report, 'utf8'));
}

/** Also of kinds that this run does not use: their owners are dead, nobody else would clean up. */
async function removeAbandonedRigs(): Promise<void> {
  for (const kind of allKinds) await removeAbandonedRig(kind);
}

async function removeAbandonedRig(kind: RigKind): Promise<void> {
  try {
    const lock = await acquireOwnerLock(kind);
    try {
      await removeLeftovers(kind);
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (!(error instanceof RigInUseError)) throw error;
  }
}

/** Up to `count` kinds that no other run on this machine uses, or the one that the environment names. */
async function freeTestKinds(count: number): Promise<readonly RigKind[]> {
  const wanted = process.env[kindVariable];
  const free: RigKind[] = [];
  for (const kind of wanted === undefined ? testKinds : [rigKindNamed(wanted)]) {
    if (free.length === count) break;
    try {
      const lock = await acquireOwnerLock(kind);
      await lock.release();
      free.push(kind);
    } catch (error) {
      if (!(error instanceof RigInUseError)) throw error;
      console.log(error.message);
    }
  }
  if (free.length === 0) throw new Error('every test rig of this machine is in use');
  return free;
}

function summarise(outcomes: readonly Outcome[], remaining: readonly string[]): number {
  console.log('\nEnd-to-end tests');
  for (const { file, verdict, seconds } of outcomes) console.log(`  ${verdict}: ${file} (${seconds} s)`);
  for (const name of remaining) console.log(`  LEFT BEHIND: ${name}`);
  if (interrupted.signal.aborted) console.log('  interrupted');
  const failed = outcomes.some(({ verdict }) => verdict === 'FAILED');
  return failed || remaining.length > 0 || interrupted.signal.aborted ? 1 : 0;
}
