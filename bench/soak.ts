// A long churn with an eye on the manager: its descriptors and its memory must stay as they are after the warm-up, it
// must log no error, and in the end it must know what is there.
import { setTimeout as delay } from 'node:timers/promises';
import { churn } from './churn.ts';
import type { DockerAddress } from './docker-address.ts';
import type { Fleet } from './fleet.ts';
import type { ManagerProcess } from './manager-process.ts';
import { mebibytes, printFact } from './report.ts';

export interface SoakPlan {
  readonly api: DockerAddress;
  readonly fleet: Fleet;
  readonly manager: ManagerProcess;
  readonly nodes: number;
  readonly seconds: number;
}

interface Sample {
  readonly descriptors: number;
  readonly rssBytes: number;
}

const sampleEveryMs = 2_000;
/** Longer than any complete refresh. */
const settledWithinMs = 90_000;
/** Of calls, that find the engine of their container away. */
const maxRefusedShare = 0.05;

/** Prints what was seen and resolves with what was violated; nothing is well. */
export async function soak(plan: SoakPlan): Promise<readonly string[]> {
  const { manager, seconds, fleet } = plan;
  const endsAtMs = Date.now() + seconds * 1000;
  const samples: Sample[] = [];
  const watching = watch(manager, endsAtMs, samples);
  const counts = await churn({ ...plan, endsAtMs });
  await watching;
  if (manager.hasEnded) return [`the manager has ended: ${manager.log().slice(-2_000)}`];
  const shown = await settledCount(plan);
  const there = await fleet.countContainers();
  // The first half is warm-up: the heap finds its size and the pools their connections.
  const [before, after] = [quarter(samples, 2), quarter(samples, 3)];
  printFact('calls, refused by an engine away', `${counts.calls}, ${counts.refused}`);
  printFact(
    'restarts, broken streams, departures',
    `${counts.restarts}, ${counts.brokenStreams}, ${counts.departures}`,
  );
  printFact('descriptors, third and last quarter', `${before.descriptors}, ${after.descriptors}`);
  printFact('memory (RSS), third and last quarter', `${mebibytes(before.rssBytes)}, ${mebibytes(after.rssBytes)}`);
  printFact('slope of memory', `${mebibytes((after.rssBytes - before.rssBytes) / (seconds / 4 / 3600))} an hour`);
  printFact('containers shown, there', `${shown}, ${there}`);
  const logged = manager.log().match(/^\S+ error .*$/gm) ?? [];
  return [
    ...counts.errors,
    ...logged,
    ...(counts.refused > counts.calls * maxRefusedShare ? [`${counts.refused} calls were refused`] : []),
    ...(after.descriptors > before.descriptors * 1.05 + 20 ? ['the number of descriptors grows'] : []),
    ...(after.rssBytes > before.rssBytes * 1.05 ? ['the memory grows'] : []),
    ...(shown === there ? [] : ['what is shown is not what is there']),
  ];
}

async function watch(manager: ManagerProcess, endsAtMs: number, samples: Sample[]): Promise<void> {
  while (Date.now() < endsAtMs && !manager.hasEnded) {
    samples.push({ descriptors: manager.descriptors(), rssBytes: manager.rssBytes() });
    await delay(sampleEveryMs);
  }
}

/** The medians of that quarter of the samples; quarters count from 0. */
function quarter(samples: readonly Sample[], index: number): Sample {
  const part = samples.slice((samples.length * index) / 4, (samples.length * (index + 1)) / 4);
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return {
    descriptors: median(part.map(({ descriptors }) => descriptors)),
    rssBytes: median(part.map(({ rssBytes }) => rssBytes)),
  };
}

/** How many containers the manager shows, once that is how many there are, or when it should have been. */
async function settledCount({ api, fleet }: SoakPlan): Promise<number> {
  const endsAtMs = Date.now() + settledWithinMs;
  for (;;) {
    const { Containers } = (await api.json('GET', '/info')) as { readonly Containers: number };
    if (Containers === (await fleet.countContainers()) || Date.now() > endsAtMs) return Containers;
    await delay(1_000);
  }
}
