// Tables that read as the specification of a filter or a strategy: so are the nodes, so is the container, and there it
// goes, or this is why not.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { refusalOf } from '../../../../src/scheduler/explain.ts';
import { placementRequest } from '../../../../src/scheduler/request.ts';
import type { StrategyOptions } from '../../../../src/scheduler/strategies/index.ts';
import { aNode, type NodeFacts, type TestNode } from './a-node.ts';
import { dockerRun } from './docker-run.ts';
import { aScheduler, run } from './place.ts';

interface SpecifiedNode extends Omit<NodeFacts, 'name'> {
  /** What runs there, or is being created, in the words of `docker run`. */
  readonly runs?: readonly string[];
  readonly stopped?: readonly string[];
}

type Nodes = Readonly<Record<string, SpecifiedNode>>;

interface FilterRow {
  readonly it: string;
  readonly nodes: Nodes;
  /** As after `docker run`. */
  readonly run: string;
  /** The nodes that are left, by name; '' when it is refused. */
  readonly on: string;
  /** Why nodes are out of the question, as the user reads it. */
  readonly because?: Readonly<Record<string, string>>;
}

/** Every other filter is there too: a row shows what a user sees. */
export function specifyFilter(name: string, rows: readonly FilterRow[]): void {
  describe(`the ${name} filter`, () => {
    for (const row of rows) {
      it(row.it, () => {
        const nodes = someNodes(row.nodes);
        const { body, options } = dockerRun(row.run);
        const request = placementRequest(body, options);
        const scheduler = aScheduler();
        const placement = scheduler.place(request, nodes);
        const left = placement.kind === 'placed' ? placement.nodes.map((node) => node.name) : [];
        assert.equal([...left].sort().join(' '), row.on);
        const hard = scheduler.requirements(request, nodes).filter(({ soft }) => !soft);
        for (const [refused, reason] of Object.entries(row.because ?? {})) {
          const node = nodes.find((other) => other.name === refused);
          assert.equal(node && refusalOf(node, hard), reason, refused);
        }
      });
    }
  });
}

interface StrategyRow {
  readonly it: string;
  readonly nodes: Nodes;
  /** One after the other; each stays. */
  readonly run: readonly string[];
  /** The node of each; `-` for one that is refused. */
  readonly on: string;
  readonly options?: StrategyOptions;
}

export function specifyStrategy(name: string, rows: readonly StrategyRow[]): void {
  describe(`the strategy ${name}`, () => {
    for (const row of rows) {
      it(row.it, () => {
        const nodes = someNodes(row.nodes);
        const scheduler = aScheduler(name, row.options);
        const placed = row.run.map((command) => {
          const { body, options } = dockerRun(command);
          return run(scheduler, body, nodes, options) ?? '-';
        });
        assert.equal(placed.join(' '), row.on);
      });
    }
  });
}

export function times(count: number, command: string): readonly string[] {
  return Array.from({ length: count }, () => command);
}

function someNodes(specified: Nodes): readonly TestNode[] {
  return Object.entries(specified).map(([name, { runs = [], stopped = [], ...facts }]) => {
    const node = aNode({ ...facts, name });
    for (const command of runs) node.take(requestFor(command));
    for (const command of stopped) {
      const { name: container, ...request } = requestFor(command);
      node.add({
        image: request.image,
        labels: request.labels,
        isActive: false,
        ...(container !== undefined && { name: container }),
      });
    }
    return node;
  });
}

function requestFor(command: string): ReturnType<typeof placementRequest> {
  const { body, options } = dockerRun(command);
  return placementRequest(body, options);
}
