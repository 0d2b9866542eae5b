// One seed: a cluster is started, hurt by the plan while clients use it, healed, and judged once it has settled.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Deadline } from '../../../src/common/deadline.ts';
import { errorMessage } from '../../../src/common/errors.ts';
import type { RigKind } from '../rig/rig-kind.ts';
import { Balancer } from './balancer.ts';
import { readTerms, readWrites, startCapture } from './capture.ts';
import { judgeFinalState, judgeHistory, measureService, type Violation } from './checker.ts';
import { ChaosClient } from './clients.ts';
import { healFault, makeFault } from './faults.ts';
import type { ClientAnswer, Complaint, History } from './history.ts';
import { lookAtEnd, Onlooker } from './onlooker.ts';
import { choicesOf, describeFault, planFaults, type Fault } from './plan.ts';
import { Scene } from './scene.ts';

export interface PlayOptions {
  readonly seed: number;
  readonly kind: RigKind;
  readonly lengthMs: number;
  readonly betweenMs: number;
  readonly clients: number;
  /** Of a seed that broke something: the logs, and what was seen. */
  readonly logsDirectory: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** One line. */
  readonly summary: string;
}

/** A create that nobody answered may be in doubt for half a minute, and a move that failed waits before the next. */
const settledWithinMs = 120_000;

export async function playSeed(options: PlayOptions): Promise<Verdict> {
  const { seed, kind, say, signal } = options;
  const faults = planFaults(options);
  say(`Seed ${seed}: ${faults.length} faults`);
  for (const fault of faults) say(`  ${describeFault(fault)}`);
  const answers: ClientAnswer[] = [];
  const complaints: Complaint[] = [];
  const complain = (complaint: Complaint): void => {
    complaints.push(complaint);
    say(`  ${new Date(complaint.atMs).toISOString()} ${complaint.rule}: ${complaint.text}`);
  };
  const scene = await Scene.start({
    ...{ kind, signal, say: () => undefined },
    onUnexpectedExit: ({ name }) => {
      complain({ atMs: Date.now(), rule: 'ended by itself', text: name });
    },
  });
  const capture = await startCapture(scene);
  const onlooker = new Onlooker(scene);
  const managers = [...scene.managers].map(([name, { address }]) => ({ name, address }));
  const balancer = new Balancer(managers, (answer) => answers.push(answer));
  const withdrawn = { count: 0 };
  const clients = Array.from({ length: options.clients }, (_, index) => {
    const number = index + 1;
    const choices = choicesOf(seed, number);
    return new ChaosClient({
      number,
      choices,
      balancer,
      complain,
      isNodeWithdrawn: () => withdrawn.count > 0,
    });
  });
  const history = (): History => ({
    ...{ answers, complaints, everSeen: onlooker.everSeen, everVolumes: onlooker.everVolumes },
    beliefs: clients.flatMap(({ beliefs }) => beliefs),
    writes: readWrites(scene, capture),
    terms: readTerms(scene),
  });
  try {
    onlooker.start();
    balancer.start();
    await playFaults({ scene, faults, clients, withdrawn, complain, options });
    const violations = await settle(scene, clients, history, options);
    return report({ violations, history: history(), scene, options, faults });
  } finally {
    await balancer.stop();
    await onlooker.stop();
    await capture.stop();
    await scene.stop();
  }
}

interface Playing {
  readonly scene: Scene;
  readonly faults: readonly Fault[];
  readonly clients: readonly ChaosClient[];
  /** How many nodes their agents, which ended in order, have taken away with what is on them. */
  readonly withdrawn: { count: number };
  readonly complain: (complaint: Complaint) => void;
  readonly options: PlayOptions;
}

async function playFaults({ scene, faults, clients, withdrawn, complain, options }: Playing): Promise<void> {
  const { lengthMs, say, signal } = options;
  const started = performance.now();
  const over = new Deadline(lengthMs, [signal]);
  const until = async (ms: number): Promise<void> => {
    await delay(started + ms - performance.now(), undefined, { signal }).catch(() => undefined);
  };
  const act = async (what: string, fault: Fault, work: Promise<void>): Promise<void> => {
    const beganMs = performance.now();
    await work.catch((error: unknown) => {
      // Whatever follows says nothing of the product.
      complain({
        atMs: Date.now(),
        rule: 'the rig failed',
        text: `${fault.kind} ${fault.target}: ${errorMessage(error)}`,
      });
    });
    const tookMs = Math.round(performance.now() - beganMs);
    say(`  ${new Date().toISOString()} ${what} ${fault.kind} ${fault.target} in ${tookMs} ms`);
  };
  await Promise.all([
    ...clients.map((client) => client.run(over.signal)),
    ...faults.map(async (fault) => {
      await until(fault.atMs);
      if (fault.kind === 'restart-agent') withdrawn.count += 1;
      if (!signal.aborted) await act('made', fault, makeFault(scene, fault));
      await until(fault.atMs + fault.forMs);
      await act('healed', fault, healFault(scene, fault));
      if (fault.kind === 'restart-agent') withdrawn.count -= 1;
    }),
  ]);
  over.clear();
}

/** Judges again and again, until nothing is wrong or time is over. */
async function settle(
  scene: Scene,
  clients: readonly ChaosClient[],
  history: () => History,
  { say, signal }: PlayOptions,
): Promise<readonly Violation[]> {
  const started = performance.now();
  for (;;) {
    await Promise.all(clients.map((client) => client.resolve()));
    const found = await judgeNow(scene, history());
    const seconds = Math.round((performance.now() - started) / 1000);
    if (found.length === 0) say(`  settled within ${seconds} s`);
    if (found.length === 0 || performance.now() - started > settledWithinMs || signal.aborted)
      return [...found, ...judgeHistory(history())];
    await delay(1_000);
  }
}

async function judgeNow(scene: Scene, history: History): Promise<readonly Violation[]> {
  try {
    return judgeFinalState(history, await lookAtEnd(scene));
  } catch (error) {
    return [{ rule: 'no answer in the end', text: errorMessage(error) }];
  }
}

interface Reporting {
  readonly violations: readonly Violation[];
  readonly history: History;
  readonly scene: Scene;
  readonly options: PlayOptions;
  readonly faults: readonly Fault[];
}

function report({ violations, history, scene, options, faults }: Reporting): Verdict {
  const { seed, logsDirectory, say } = options;
  for (const { rule, text } of violations) say(`  VIOLATION ${rule}: ${text}`);
  const services = measureService(history.answers);
  for (const { client, answers, availability, longestGapMs, longestGapAtMs } of services) {
    const gap = `longest gap ${(longestGapMs / 1000).toFixed(1)} s at ${new Date(longestGapAtMs).toISOString()}`;
    say(`  ${client}: ${answers} calls, ${(availability * 100).toFixed(1)} % served, ${gap}`);
  }
  const changes = new Set(history.terms.map(({ term }) => term)).size;
  say(
    `  ${history.beliefs.length} containers asked for, ${history.writes.length} changes of engines, ${changes} primaries`,
  );
  saveLogs(scene, history, logsDirectory);
  const longest = Math.max(...services.map(({ longestGapMs }) => longestGapMs));
  const served = services.reduce((sum, { availability, answers }) => sum + availability * answers, 0);
  const share = ((100 * served) / history.answers.length).toFixed(1);
  const verdict = violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS`;
  return {
    violations,
    summary: `seed ${seed}: ${verdict}, ${faults.length} faults, ${history.answers.length} calls, ${share} % served, longest gap ${(longest / 1000).toFixed(1)} s`,
  };
}

function saveLogs(scene: Scene, history: History, directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [name, manager] of scene.managers) writeFileSync(`${directory}/${name}.log`, manager.log());
  for (const { name, machine } of scene.engines) {
    for (const process of ['dockerd', 'agent']) {
      const file = `${machine.directory}/${process}.log`;
      if (existsSync(file)) copyFileSync(file, `${directory}/${name}-${process}.log`);
    }
  }
  const beliefs = history.beliefs.map((belief) => ({ ...belief, ids: [...belief.ids] }));
  for (const [name, lines] of Object.entries({ ...history, beliefs })) {
    writeFileSync(`${directory}/${name}.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}
