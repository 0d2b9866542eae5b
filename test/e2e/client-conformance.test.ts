// The same commands of stock clients against plain engines and against managers over three: whatever differs in what
// they print is in the allow-list. SHOAL_CLIENT_MATRIX=1 plays every scene with every client on every cluster.
import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { compareScenes, shortPlan, wholePlan, type SceneComparison } from '../support/conformance/cli/run-scenes.ts';

const isWhole = process.env['SHOAL_CLIENT_MATRIX'] === '1';

describe('stock clients on a cluster and on one engine', () => {
  let comparison: SceneComparison;

  before(async function () {
    this.timeout(isWhole ? 5_000_000 : 1_200_000);
    comparison = await compareScenes(isWhole ? wholePlan : shortPlan);
  });

  it('print the same and end with the same codes, but for the differences that are known', () => {
    const lines = comparison.verdict.unknown.map(
      ({ cluster, cli, scene, command, side, line }) =>
        `${cluster}, client ${cli}, ${scene}: ${command}\n    ${side}: ${line}`,
    );
    assert.equal(lines.length, 0, `${lines.length} unknown differences:\n  ${lines.slice(0, 50).join('\n  ')}`);
  });

  // In a short run each scene meets one client and one release.
  if (isWhole) {
    it('show every difference that is known', () => {
      assert.deepEqual(comparison.verdict.unused, []);
    });
  }
});
