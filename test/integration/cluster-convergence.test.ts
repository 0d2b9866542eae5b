import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runDrill } from '../support/fault-drill.ts';
import { until } from '../support/until.ts';

/** More can be had for a longer search: DRILL_SEEDS=1000 DRILL_FROM=1. */
const seeds = Number(process.env['DRILL_SEEDS'] ?? 24);
const firstSeed = Number(process.env['DRILL_FROM'] ?? 1);

describe('a cluster after every kind of fault', () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const withLeaving = seed % 3 === 0;
    it(`tells the truth again, keeps names unique and no reservation (seed ${seed})`, async () => {
      assert.deepEqual(await runDrill({ seed, steps: 90, withLeaving }), []);
    }).timeout(30_000);
  }

  it('leaves no socket and no timer behind', async () => {
    const before = openResources();
    await runDrill({ seed: 4711, steps: 60, withLeaving: true });
    await until('all is closed', () => openResources() <= before).catch(() => console.log(before, process.getActiveResourcesInfo()));
  }).timeout(30_000);
});

function openResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout|Immediate|Process/.test(kind)).length;
}
