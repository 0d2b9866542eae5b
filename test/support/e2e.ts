// The end-to-end run: each file of test/e2e in a mocha of its own on real engines, one after the other. A file that
// fails gets one more chance on a fresh rig, and the summary says so. Nothing may be left behind at the end.
import { readdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { aborted } from '../../src/common/abort.ts';
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

const logsDirectory = `${projectDirectory}/.cache/e2e-logs`;
const fileLimitMs = 15 * 60_000;

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
    ['engine-20.10', 'engine-28.5', 'consul', 'buildx', 'compose-v1', 'compose-v2', 'terminal'],
    (line) => {
      console.log(line);
    },
  );
  await removeAbandonedRigs();
  const kind = await freeTestKind();
  rmSync(logsDirectory, { recursive: true, force: true });
  const outcomes: Outcome[] = [];
  for (const file of asked.length > 0 ? asked : allFiles()) {
    if (interrupted.signal.aborted) break;
    outcomes.push(await runFile(file, kind));
  }
  const remaining = await leftovers(kind);
  await removeAbandonedRigs();
  return summarise(outcomes, remaining);
}

function allFiles(): string[] {
  return readdirSync(`${projectDirectory}/test/e2e`)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => `test/e2e/${name}`);
}

async function runFile(file: string, kind: RigKind): Promise<Outcome> {
  const start = performance.now();
  let verdict: Outcome['verdict'] = 'passed';
  if ((await runMocha(file, kind, 'first')) !== 0) {
    console.log(`${file} failed; once more on a fresh rig (logs: ${logsDirectory})`);
    await removeAbandonedRigs();
    const again = interrupted.signal.aborted ? 1 : await runMocha(file, kind, 'second');
    verdict = again === 0 ? 'passed at the second attempt' : 'FAILED';
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${file}: ${verdict}, ${seconds} s`);
  return { file, verdict, seconds };
}

/** Resolves with mocha's exit code. Mocha's own process is ours to kill: its wrapper would leave it behind. */
async function runMocha(file: string, kind: RigKind, attempt: 'first' | 'second'): Promise<number> {
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
  const child = spawnMortal(process.execPath, ['--import', 'tsx', mocha, ...options, file], {
    cwd: projectDirectory,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      [kindVariable]: kind.name,
      [logsVariable]: `${logsDirectory}/${basename(file, '.test.ts')}-${attempt}`,
    },
  });
  const done = new AbortController();
  const limit = AbortSignal.any([done.signal, interrupted.signal, AbortSignal.timeout(fileLimitMs)]);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      resolve(exitCode(code, signal));
    });
  });
  const stopped = aborted(limit).then(() => child.kill('SIGKILL'));
  try {
    return await ended;
  } finally {
    done.abort();
    await stopped;
  }
}

/** Also of kinds that this run does not use: their owners are dead, nobody else would clean up. */
async function removeAbandonedRigs(): Promise<void> {
  for (const kind of allKinds) {
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
}

/** The first kind that no other run on this machine uses, or the one that the environment names. */
async function freeTestKind(): Promise<RigKind> {
  const wanted = process.env[kindVariable];
  for (const kind of wanted === undefined ? testKinds : [rigKindNamed(wanted)]) {
    try {
      const lock = await acquireOwnerLock(kind);
      await lock.release();
      return kind;
    } catch (error) {
      if (!(error instanceof RigInUseError)) throw error;
      console.log(error.message);
    }
  }
  throw new Error('every test rig of this machine is in use');
}

function summarise(outcomes: readonly Outcome[], remaining: readonly string[]): number {
  console.log('\nEnd-to-end tests');
  for (const { file, verdict, seconds } of outcomes) console.log(`  ${verdict}: ${file} (${seconds} s)`);
  for (const name of remaining) console.log(`  LEFT BEHIND: ${name}`);
  if (interrupted.signal.aborted) console.log('  interrupted');
  const failed = outcomes.some(({ verdict }) => verdict === 'FAILED');
  return failed || remaining.length > 0 || interrupted.signal.aborted ? 1 : 0;
}
