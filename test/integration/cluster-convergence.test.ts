import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { runDrill } from '../support/fault-drill.ts';
import { until } from '../support/until.ts';

/** A longer search: DRILL_SEEDS=1000 DRILL_FROM=1. */
const drills = Number(process.env['DRILL_SEEDS'] ?? 21);
const firstSeed = Number(process.env['DRILL_FROM'] ?? 1);
const drillsAtOnce = 4;
const steps = 60;

describe('a cluster after every kind of fault', () => {
  const seeds = Array.from({ length: drills }, (_, index) => firstSeed + index);
  const results = new Map<number, Promise<readonly string[]>>();
  let lanes: Promise<unknown> = Promise.resolve();

  // A drill mostly waits, so several run beside each other.
  before(() => {
    const starts = new Map<number, () => void>();
    for (const seed of seeds) {
      const started = new Promise<void>((resolve) => starts.set(seed, resolve));
      results.set(
        seed,
        started.then(() => runDrill({ seed, steps, withLeaving: seed % 3 === 0 })),
      );
    }
    const waiting = seeds.values();
    const lane = async (): Promise<void> => {
      for (const seed of waiting) {
        starts.get(seed)?.();
        await results.get(seed)?.catch(() => undefined);
      }
    };
    lanes = Promise.all(Array.from({ length: drillsAtOnce }, lane));
  });

  after(async () => {
    await lanes;
    const open = (): readonly string[] => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP'));
    await until('every socket is closed', () => open().length === 0);
  });

  for (const seed of seeds) {
    it(`tells the truth again, keeps names unique and no reservation (seed ${seed})`, async () => {
      assert.deepEqual(await results.get(seed), []);
    }).timeout(120_000);
  }
});
