// `npm run chaos`: plays one seed after another, each on a cluster of its own, and says of each what it broke.
import { Command, InvalidArgumentError } from 'commander';
import { errorMessage } from '../../../src/common/errors.ts';
import { projectDirectory, kindVariable, rigKindNamed } from '../rig/rig-kind.ts';
import { playSeed } from './play.ts';

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly seeds?: readonly number[];
  readonly clients: number;
  readonly between: number;
}

const options = new Command('npm run chaos --')
  .description('Plays faults and clients on a cluster of three managers, three Consul servers and five real engines.')
  .option('--minutes <minutes>', 'length of each seed', positive, 3)
  .option('--seed <number>', 'what is played', whole, 1)
  .option('--seeds <from..to>', 'several, one after the other', range)
  .option('--clients <number>', 'clients at once', whole, 5)
  .option('--between <seconds>', 'between the begins of two faults, on average', positive, 6)
  .parse()
  .opts<Options>();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}
process.exitCode = await main();

async function main(): Promise<number> {
  const verdicts: string[] = [];
  let broken = 0;
  for (const seed of options.seeds ?? [options.seed]) {
    if (interrupted.signal.aborted) break;
    const { violations, summary } = await play(seed);
    broken += violations;
    verdicts.push(summary);
    console.log(`${summary}\n`);
  }
  console.log(['Seeds', ...verdicts].join('\n  '));
  return broken > 0 || interrupted.signal.aborted ? 1 : 0;
}

async function play(seed: number): Promise<{ readonly violations: number; readonly summary: string }> {
  try {
    const { violations, summary } = await playSeed({
      seed,
      kind: rigKindNamed(process.env[kindVariable] ?? 'test'),
      lengthMs: options.minutes * 60_000,
      betweenMs: options.between * 1_000,
      clients: options.clients,
      logsDirectory: `${projectDirectory}/.cache/chaos/seed-${seed}`,
      say: (line) => {
        console.log(line);
      },
      signal: interrupted.signal,
    });
    return { violations: violations.length, summary };
  } catch (error) {
    return { violations: 1, summary: `seed ${seed}: COULD NOT BE PLAYED: ${errorMessage(error)}` };
  }
}

function whole(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('a whole number from 1 on is expected.');
  return Number(text);
}

function positive(text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('a number above 0 is expected.');
}

function range(text: string): readonly number[] {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  const length = Number(to) - Number(from) + 1;
  if (length >= 1) return Array.from({ length }, (_, index) => Number(from) + index);
  throw new InvalidArgumentError('two whole numbers are expected, as in 1..10.');
}
