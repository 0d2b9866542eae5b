// What holds whatever is asked for: thousands of random rules, clusters and containers, each named by its seed.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../src/common/errors.ts';
import type { CreateBody } from '../../../../src/docker/types.ts';
import { parseExpression } from '../../../../src/scheduler/expression.ts';
import { placementRequest } from '../../../../src/scheduler/request.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { aNode, gib, type TestNode } from './a-node.ts';
import { aScheduler, run } from './place.ts';

describe('any expression', () => {
  const keyStart = 'abzAZ_';
  const keyRest = 'az09_.-/';
  const operators = ['==', '!=', '<', '<=', '>', '>='];
  const plain = 'abcXYZ019:-_.()?+[]\\^$| é,';

  function textOf(random: SeededRandom, alphabet: string, least: number, most: number): string {
    return Array.from({ length: random.between(least, most) }, () =>
      alphabet.charAt(random.between(0, alphabet.length - 1)),
    ).join('');
  }

  it('reads back from its parts', () => {
    for (let seed = 0; seed < 3_000; seed += 1) {
      const random = new SeededRandom(seed);
      const key = textOf(random, keyStart, 1, 1) + textOf(random, keyRest, 0, 6);
      const operator = random.oneOf(operators) ?? '==';
      const isOrder = operator.includes('<') || operator.includes('>');
      const value = isOrder ? `${random.between(0, 99)}.${random.between(0, 99)}` : textOf(random, plain, 1, 12);
      const isSoft = random.chance(0.5);
      const text = `${key}${operator}${isSoft ? '~' : ''}${value}`;
      const parsed = parseExpression('constraint', text);
      assert.deepEqual(
        [parsed.key, parsed.operator, parsed.isSoft, parsed.value],
        [key, operator, isSoft, value],
        text,
      );
      assert.equal(parsed.text, text);
      if (!isOrder) assert.equal(parsed.matches(value), true, text);
    }
  });

  it('is read, or refused with 400, the position within it and what was expected', () => {
    const alphabet = 'ab_1=!<>~*/()[]{}\\@|.,: \u0000é';
    for (let seed = 0; seed < 5_000; seed += 1) {
      const text = textOf(new SeededRandom(seed), alphabet, 0, 14);
      try {
        assert.equal(typeof parseExpression('affinity', text).matches('a'), 'boolean');
      } catch (error) {
        assert.ok(error instanceof ApiError && error.status === 400, `seed ${seed}: ${String(error)}`);
        const position = Number(/ at position (\d+): expected /.exec(error.message)?.[1]);
        assert.ok(position >= 1 && position <= text.length + 1, `seed ${seed}: ${error.message}`);
      }
    }
  });
});

describe('any cluster', () => {
  const zones = ['a', 'b', 'c'];
  const strategies = ['spread', 'binpack', 'random', 'spread:zone'];
  const rules = [
    'constraint:zone==a',
    'constraint:zone!=b',
    'constraint:zone==~c',
    'affinity:tier!=~web',
    'affinity:tier!=web',
    'affinity:container!=db*@zone',
    'affinity:image==~redis*',
  ];

  function someCluster(random: SeededRandom): readonly TestNode[] {
    return Array.from({ length: random.between(1, 8) }, (_, index) =>
      aNode({
        name: `node-${index}`,
        cpus: random.between(1, 4),
        memoryGib: random.between(1, 8),
        labels: {
          ...(random.chance(0.8) && { zone: random.oneOf(zones) ?? 'a' }),
          ...(random.chance(0.3) && { containerslots: String(random.between(1, 4)) }),
        },
        images: random.chance(0.5) ? ['busybox:latest'] : ['redis:7'],
        ...(random.chance(0.1) && { refusal: 'unhealthy' }),
      }),
    );
  }

  function someBody(random: SeededRandom): CreateBody {
    const service = random.oneOf(['web', 'db']) ?? 'web';
    return {
      Image: 'busybox',
      Env: random.chance(0.5) ? [random.oneOf(rules)] : [],
      Labels: {
        tier: service,
        ...(random.chance(0.4) && { 'com.docker.compose.project': 'p', 'com.docker.compose.service': service }),
      },
      HostConfig: {
        Memory: random.chance(0.6) ? random.between(1, 24) * (gib / 8) : 0,
        NanoCpus: random.chance(0.4) ? random.between(1, 12) * 0.25e9 : 0,
        ...(random.chance(0.3) && { PortBindings: { '80/tcp': [{ HostPort: String(random.between(80, 83)) }] } }),
        ...(random.chance(0.2) && { PortBindings: { '80/tcp': [{ HostPort: '90-92' }] } }),
      },
    };
  }

  for (const strategy of strategies) {
    it(`gets the same answer from ${strategy} in whatever order its nodes are given`, () => {
      for (let seed = 0; seed < 150; seed += 1) {
        const random = new SeededRandom(seed);
        const nodes = someCluster(random);
        const scheduler = aScheduler(strategy, { seed });
        for (let count = 0; count < 5; count += 1) run(scheduler, someBody(random), nodes, { name: `c-${count}` });
        const request = placementRequest(someBody(random));
        const shuffled = nodes
          .map((node) => ({ node, lot: random.next() }))
          .sort((a, b) => a.lot - b.lot)
          .map(({ node }) => node);
        const answers = [nodes, shuffled].map((order) => {
          const placement = aScheduler(strategy, { seed }).place(request, order);
          return placement.kind === 'placed'
            ? [placement.decision, placement.nodes.map(({ name }) => name)]
            : [placement.explanation];
        });
        assert.deepEqual(answers[1], answers[0], `seed ${seed}`);
      }
    });

    it(`never has ${strategy} fill a node beyond its memory, CPUs, slots or ports, or break a hard rule`, () => {
      for (let seed = 0; seed < 60; seed += 1) {
        const random = new SeededRandom(seed);
        const nodes = someCluster(random);
        const scheduler = aScheduler(strategy, { seed });
        for (let count = 0; count < 40; count += 1) {
          const body = someBody(random);
          const name = run(scheduler, body, nodes, { name: `db-${count}` });
          const node = nodes.find((other) => other.name === name);
          if (node === undefined) continue;
          const zone = node.labels['zone'] ?? '';
          const [rule] = body['Env'] as readonly string[];
          assert.ok(rule !== 'constraint:zone==a' || zone === 'a', `seed ${seed}`);
          assert.ok(rule !== 'constraint:zone!=b' || zone !== 'b', `seed ${seed}`);
          assert.equal(node.refusal, undefined, `seed ${seed}`);
        }
        for (const node of nodes) {
          assert.ok(node.reservedMemoryBytes <= node.totalMemoryBytes, `seed ${seed}`);
          assert.ok(node.reservedNanoCpus <= node.totalNanoCpus, `seed ${seed}`);
          assert.ok(node.activeContainers <= Number(node.labels['containerslots'] ?? Infinity), `seed ${seed}`);
          const ports = node.takenPorts.map(({ port, protocol }) => `${port}/${protocol}`);
          assert.equal(new Set(ports).size, ports.length, `seed ${seed}: ${ports.join(' ')}`);
        }
      }
    });
  }
});
