import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { shownContainerRow } from '../../../../../src/api/views/container-row.ts';
import type { RowNode } from '../../../../../src/api/views/container-row.ts';
import { blockBytes, rowBytes } from '../../../../../src/api/views/written-rows.ts';
import type { RowNodes } from '../../../../../src/api/views/written-rows.ts';
import type { ContainerBlock, ContainerLocation } from '../../../../../src/cluster/locations.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import { parseContainerDetails } from '../../../../../src/engine/container-details.ts';
import { Engine } from '../../../../../src/engine/engine.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

const now = Date.parse('2026-01-01T00:05:00Z');
const engine = new Engine({ address: '10.0.0.5:2375', logger: createSilentLogger() });
const node: RowNode = { name: 'node-1', host: '10.0.0.5', isHealthy: true, prefixesNames: false };

function nodes(change: Partial<RowNode> = {}): RowNodes {
  const shown = { ...node, ...change };
  return { of: () => shown, revision: JSON.stringify(shown) };
}

/** Names and statuses of more than one byte a letter too. */
function aLocation(number: number, startedMs: number | undefined): ContainerLocation {
  const id = `${number}`;
  const row = { Id: id, Names: [`/wéb-${id}`], Image: 'büsybox', ImageID: '', Created: 1, State: 'x', Status: 'Älter' };
  const StartedAt = new Date(startedMs ?? 0).toISOString();
  const inspect = { Id: id, Name: id, Created: '', Image: '', State: { Status: 'running', Running: true, StartedAt } };
  const details = startedMs === undefined ? undefined : parseContainerDetails(inspect);
  return { engine, record: { id, name: `wéb-${id}`, row, details } };
}

function expected(block: ContainerBlock, by: RowNodes, atMs: number): unknown {
  return block.map(({ record }) => shownContainerRow(record.row, record, by.of(engine), atMs));
}

function parsed(bytes: Buffer): unknown {
  return JSON.parse(`[${bytes.toString().slice(1)}]`);
}

describe('written rows', () => {
  it('are those that a list made anew would have, at every moment', () => {
    const random = new SeededRandom(5);
    const block = Array.from({ length: 20 }, (_, index) =>
      aLocation(index, random.chance(0.8) ? now - Math.floor(random.next() * 7_200_000) : undefined),
    );
    let atMs = now;
    for (let round = 0; round < 300; round += 1) {
      const by = nodes({ isHealthy: random.chance(0.9), ...(random.chance(0.1) ? { name: 'other' } : {}) });
      const rows = random.chance(0.5) ? block : block.filter(() => random.chance(0.5));
      const bytes = rows === block ? blockBytes(block, by, atMs) : rowBytes(rows, by, atMs);
      if (rows.length > 0) assert.deepEqual(parsed(bytes), expected(rows, by, atMs));
      atMs += Math.floor(random.next() * 3_000);
    }
  });

  it('are the same bytes as long as they say the same', () => {
    const block = [aLocation(1, now - 300_000), aLocation(2, now - 330_000)];
    const bytes = blockBytes(block, nodes(), now);
    assert.equal(blockBytes(block, nodes(), now + 29_999), bytes);
    assert.notEqual(blockBytes(block, nodes(), now + 30_000), bytes);
  });

  it('do not look ahead of a clock that was set back', () => {
    const block = [aLocation(1, now - 300_000)];
    blockBytes(block, nodes(), now);
    assert.deepEqual(parsed(blockBytes(block, nodes(), now - 60_000)), expected(block, nodes(), now - 60_000));
  });

  it('of another block are taken over into it', () => {
    const [first, second] = [aLocation(1, now), aLocation(2, now)];
    blockBytes([first, second], nodes(), now);
    const later = [second, aLocation(3, now)];
    assert.deepEqual(parsed(blockBytes(later, nodes(), now)), expected(later, nodes(), now));
  });
});
