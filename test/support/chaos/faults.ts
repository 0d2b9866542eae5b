// Makes the faults of a plan, and heals them. Packets are dropped where they are sent, so that whatever is seen on the
// bridge has arrived.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { run } from '../rig/command.ts';
import { until } from '../until.ts';
import type { Fault, FaultKind } from './plan.ts';
import type { Scene } from './scene.ts';

const withdrawnWithinMs = 60_000;

interface Act {
  make(scene: Scene, fault: Fault): Promise<void>;
  heal(scene: Scene, fault: Fault): Promise<void>;
}

export async function makeFault(scene: Scene, fault: Fault): Promise<void> {
  await acts[fault.kind].make(scene, fault);
}

/** Resolves when what was hurt runs again; it may be busy recovering still. */
export async function healFault(scene: Scene, fault: Fault): Promise<void> {
  await acts[fault.kind].heal(scene, fault);
}

const partition: Act = {
  make: (scene, fault) => changeRules(scene, fault, '-A'),
  heal: (scene, fault) => changeRules(scene, fault, '-D'),
};

const alreadyHealed = (): Promise<void> => Promise.resolve();

const acts: Record<FaultKind, Act> = {
  'kill-manager': {
    make: (scene, { target }) => scene.manager(target).kill(),
    heal: (scene, { target }) => startPatiently(scene.manager(target)),
  },
  'pause-manager': {
    make: (scene, { target }) => send('SIGSTOP', scene.manager(target).pid),
    heal: (scene, { target }) => send('SIGCONT', scene.manager(target).pid),
  },
  'restart-manager': { make: (scene, { target }) => scene.manager(target).restart(), heal: alreadyHealed },
  'partition-manager': partition,
  'kill-store': {
    make: (scene, { target }) => scene.store(target).kill(),
    heal: (scene, { target }) => scene.store(target).heal(),
  },
  'pause-store': {
    make: (scene, { target }) => {
      scene.store(target).freeze();
      return Promise.resolve();
    },
    heal: (scene, { target }) => scene.store(target).heal(),
  },
  'partition-store': partition,
  'kill-agent': {
    make: (scene, { target }) => scene.agent(target).kill(),
    heal: (scene, { target }) => scene.agent(target).start(),
  },
  'pause-agent': {
    make: (scene, { target }) => send('SIGSTOP', scene.agent(target).pid),
    heal: (scene, { target }) => send('SIGCONT', scene.agent(target).pid),
  },
  'restart-agent': {
    make: (scene, { target }) => scene.agent(target).restart(),
    heal: (scene, { target }) => untilSeen(scene, target),
  },
  'kill-engine': {
    make: (scene, { target }) => scene.engine(target).kill(),
    heal: (scene, { target }) => startPatiently(scene.engine(target)),
  },
  'pause-engine': {
    make: (scene, { target }) => {
      scene.engine(target).stop();
      return Promise.resolve();
    },
    heal: (scene, { target }) => {
      scene.engine(target).cont();
      return Promise.resolve();
    },
  },
  'restart-engine': { make: (scene, { target }) => scene.engine(target).restart(), heal: alreadyHealed },
  'power-off': {
    make: async (scene, { target }) => {
      await scene.agent(target).kill();
      await scene.engine(target).powerOff();
    },
    heal: async (scene, { target }) => {
      await startPatiently(scene.engine(target));
      await scene.agent(target).start();
    },
  },
  'partition-node': partition,
  'fill-disk': {
    make: (scene, { target }) => fillDisk(scene.machine(target).engineDataDirectory),
    heal: (scene, { target }) => {
      rmSync(ballastIn(scene.machine(target).engineDataDirectory), { force: true });
      return Promise.resolve();
    },
  },
};

/** A machine that was switched off meanwhile has lost its rules, which is as good. */
async function changeRules(scene: Scene, { target, against, lost }: Fault, change: '-A' | '-D'): Promise<void> {
  const sent = lost === 'received' ? [] : against.map((other) => [target, other] as const);
  const received = lost === 'sent' ? [] : against.map((other) => [other, target] as const);
  await Promise.all(
    [...sent, ...received].map(async ([from, to]) => {
      const machine = scene.machine(from);
      if (!machine.isOn) return;
      const rule = ['-w', change, 'OUTPUT', '-d', scene.machine(to).address, '-j', 'DROP'];
      await run('nsenter', ['--target', String(machine.pid), '--net', 'iptables', ...rule]);
    }),
  );
}

/** Until every manager that is asked knows the node again, which its agent has withdrawn when it ended. */
async function untilSeen(scene: Scene, node: string): Promise<void> {
  await until(
    `${node} is back`,
    async () => {
      const known = await Promise.allSettled([...scene.managers.values()].map((manager) => manager.healthyNodes()));
      return known.every((one) => one.status === 'rejected' || one.value.includes(node));
    },
    withdrawnWithinMs,
  );
}

/** On a machine that is busy otherwise, a start may take longer than it is waited for. */
async function startPatiently(one: { start(): Promise<void>; restart(): Promise<void> }): Promise<void> {
  try {
    await one.start();
  } catch {
    await one.restart();
  }
}

function send(signal: NodeJS.Signals, pid: number): Promise<void> {
  process.kill(pid, signal);
  return Promise.resolve();
}

/** Leaves a twentieth: enough for the engine to keep its books, too little for more containers by the agent's word. */
async function fillDisk(directory: string): Promise<void> {
  const { blocks, bfree, bsize } = await statfs(directory);
  const block = Buffer.alloc(bsize);
  const file = openSync(ballastIn(directory), 'w');
  try {
    for (let left = Math.floor(bfree - blocks / 20); left > 0; left -= 1) writeSync(file, block);
  } finally {
    closeSync(file);
  }
}

function ballastIn(directory: string): string {
  return `${directory}/ballast`;
}
