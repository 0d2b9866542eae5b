import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { containerTests, selectFrom } from '../../../../../src/api/views/container-selection.ts';
import type { NodeIdentity } from '../../../../../src/cluster/locations.ts';
import { ApiError } from '../../../../../src/common/errors.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import { parseFilters } from '../../../../../src/docker/filters.ts';
import type { ContainerInspect, ContainerRow } from '../../../../../src/docker/types.ts';
import { parseContainerDetails } from '../../../../../src/engine/container-details.ts';
import { Engine } from '../../../../../src/engine/engine.ts';

const engines = ['node-1', 'node-2'].map((name, index) => ({
  identity: { id: `ID${index + 1}`, name },
  engine: new Engine({ address: `10.0.0.${index + 1}:2375`, logger: createSilentLogger() }),
}));

function identityOf(engine: Engine): NodeIdentity {
  return engines.find((one) => one.engine === engine)?.identity ?? { id: '', name: '' };
}

interface Subject {
  readonly row?: Partial<ContainerRow>;
  readonly inspect?: Partial<ContainerInspect>;
  readonly node?: 0 | 1;
}

const running: Subject = {
  row: { State: 'running' },
  inspect: { State: { Status: 'running', Running: true, StartedAt: '2026-01-01T00:00:00Z' } },
};
const exited: Subject = {
  row: { State: 'exited' },
  inspect: { State: { Status: 'exited', ExitCode: 3, StartedAt: '2026-01-01T00:00:00Z' } },
};

function isShown(subject: Subject, filters: object, all = true): boolean {
  const id = 'abc'.padEnd(64, '0');
  const row = {
    Id: id,
    Names: ['/web'],
    Image: 'busybox',
    ImageID: 'sha256:1',
    Created: 1,
    State: 'running',
    ...subject.row,
  };
  const inspect = { Id: id, Name: '/web', Created: '', Image: '', ...subject.inspect };
  const record = { id, name: 'web', row, details: parseContainerDetails(inspect) };
  const engine = engines[subject.node ?? 0]?.engine;
  assert.ok(engine);
  const forms = [filters, Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, asMap(values)]))];
  const [asList, asObject] = forms.map((form) =>
    selectFrom([{ engine, record }], containerTests({ filters: parseFilters(JSON.stringify(form)), all, identityOf })),
  );
  assert.deepEqual(asObject, asList, 'both forms of the filters select the same');
  return asList?.length === 1;
}

function asMap(values: unknown): Record<string, boolean> {
  assert.ok(Array.isArray(values));
  return Object.fromEntries(values.map((value) => [String(value), true]));
}

describe('the selection of containers', () => {
  const volume = { row: { Mounts: [{ Type: 'volume', Name: 'data', Source: '/var/lib/data', Destination: '/data' }] } };
  const bind = { row: { Mounts: [{ Type: 'bind', Source: '/srv', Destination: '/mnt' }] } };
  const network = { row: { NetworkSettings: { Networks: { front: { NetworkID: 'f00d1234' } } } } };
  const labels = { row: { Labels: { tier: 'web', empty: '' } } };
  const ports = {
    row: {
      Ports: [
        { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
        { IP: '0.0.0.0', PrivatePort: 53, PublicPort: 5353, Type: 'udp' },
        { PrivatePort: 9000, Type: 'tcp' },
      ],
    },
  };
  const healthy = { inspect: { State: { Status: 'running', Health: { Status: 'healthy' } } } };
  const cases: readonly (readonly [string, Subject, object, boolean])[] = [
    ['its full id', {}, { id: ['abc'.padEnd(64, '0')] }, true],
    ['the beginning of its id', {}, { id: ['^abc'] }, true],
    ['another id', {}, { id: ['abd'] }, false],
    ['a part of its name', {}, { name: ['e'] }, true],
    ['its name as a whole pattern', {}, { name: ['^web$'] }, true],
    ['its name with a slash', {}, { name: ['^/web$'] }, true],
    ['its name on its node', {}, { name: ['^node-1/web$'] }, true],
    ['its name on another node', {}, { name: ['^node-2/web$'] }, false],
    ['the name of its node', {}, { name: ['node'] }, false],
    ['the pattern of a longer name', {}, { name: ['^webs$'] }, false],
    ['text that is no pattern', {}, { name: ['web('] }, false],
    ['one of two names', {}, { name: ['db', 'web'] }, true],
    ['a label', labels, { label: ['tier'] }, true],
    ['a label and its value', labels, { label: ['tier=web'] }, true],
    ['a label without value', labels, { label: ['empty='] }, true],
    ['two labels of which it has one', labels, { label: ['tier=web', 'other'] }, false],
    ['another value of the label', labels, { label: ['tier=db'] }, false],
    ['a label that it does not have at all', {}, { label: ['tier'] }, false],
    ['its node', {}, { node: ['node-1'] }, true],
    ['the id of its node', {}, { node: ['ID1'] }, true],
    ['another node', { node: 1 }, { node: ['node-1'] }, false],
    ['its state', exited, { status: ['exited'] }, true],
    ['one of two states', exited, { status: ['running', 'exited'] }, true],
    ['another state', exited, { status: ['created'] }, false],
    ['its exit code', exited, { exited: ['3'] }, true],
    ['another exit code', exited, { exited: ['0'] }, false],
    ['the exit code of one that runs', running, { exited: ['0'] }, false],
    ['the exit code of one that never ran', { row: { State: 'created' } }, { exited: ['0'] }, false],
    ['its health', healthy, { health: ['healthy'] }, true],
    ['another health', healthy, { health: ['unhealthy', 'starting'] }, false],
    ['having no health check', running, { health: ['none'] }, true],
    ['its volume', volume, { volume: ['data'] }, true],
    ['its volume on its node', volume, { volume: ['node-1/data'] }, true],
    ['its volume on another node', volume, { volume: ['node-2/data'] }, false],
    ['the place of its volume', volume, { volume: ['/data'] }, true],
    ['the source of its volume', volume, { volume: ['/var/lib/data'] }, false],
    ['the source of its bind mount', bind, { volume: ['/srv'] }, true],
    ['another volume', volume, { volume: ['dat'] }, false],
    ['its network', network, { network: ['front'] }, true],
    ['the beginning of the id of its network', network, { network: ['f00d'] }, true],
    ['its network on its node', network, { network: ['node-1/front'] }, true],
    ['its network on another node', network, { network: ['node-2/front'] }, false],
    ['a part of the name of its network', network, { network: ['fro'] }, false],
    ['being a task', { row: { Labels: { 'com.docker.swarm.task': '' } } }, { 'is-task': ['true'] }, true],
    ['being a task, which it is not', {}, { 'is-task': ['true'] }, false],
    ['being no task', {}, { 'is-task': ['false'] }, true],
    ['a port of the host', ports, { publish: ['8080'] }, true],
    ['the port of the container behind it', ports, { publish: ['80'] }, false],
    ['a published port by its protocol', ports, { publish: ['5353/udp'] }, true],
    ['a published port of another protocol', ports, { publish: ['5353'] }, false],
    ['a range with a published port', ports, { publish: ['8000-8100/tcp'] }, true],
    ['an exposed port', ports, { expose: ['9000/tcp'] }, true],
    ['an exposed port that is not published', ports, { publish: ['9000'] }, false],
    ['one of two ports', ports, { publish: ['1'], expose: ['9000'] }, true],
    ['an isolation, which Linux does not have', {}, { isolation: ['default'] }, true],
    ['two things of which one does not hold', labels, { label: ['tier'], name: ['db'] }, false],
  ];
  for (const [title, subject, filters, expected] of cases) {
    it(`${expected ? 'takes' : 'leaves out'} a container by ${title}`, () => {
      assert.equal(isShown(subject, filters), expected);
    });
  }

  for (const [state, isUp] of [
    ['running', true],
    ['paused', true],
    ['restarting', true],
    ['exited', false],
    ['created', false],
    ['dead', false],
    ['removing', false],
  ] as const) {
    it(`${isUp ? 'takes' : 'leaves out'} what is ${state} unless all are asked for`, () => {
      assert.equal(isShown({ row: { State: state } }, {}, false), isUp);
      assert.equal(isShown({ row: { State: state } }, {}, true), true);
      assert.equal(isShown({ row: { State: state } }, { status: [state] }, false), true);
    });
  }

  it('does not look among stopped containers for an exit code unless all are asked for', () => {
    assert.equal(isShown(exited, { exited: ['3'] }, false), false);
  });

  for (const [filters, message] of [
    [{ nope: ['1'] }, "invalid filter 'nope'"],
    [{ 'label!': ['a'] }, "invalid filter 'label!'"],
    [
      { status: ['gone'] },
      "invalid filter 'status=gone': invalid value for state (gone): must be one of created, running, paused, restarting, removing, exited, dead",
    ],
    [
      { health: ['well'] },
      "invalid filter 'health=well': invalid value for health (well): must be one of none, starting, healthy, unhealthy",
    ],
    [{ exited: ['zero'] }, `invalid filter 'exited=zero': strconv.Atoi: parsing "zero": invalid syntax`],
    [{ 'is-task': ['maybe'] }, "invalid filter 'is-task=[maybe]'"],
    [{ publish: ['70000'] }, "invalid filter 'publish=70000'"],
    [{ expose: ['90-80'] }, "invalid filter 'expose=90-80'"],
  ] as const) {
    it(`refuses ${JSON.stringify(filters)}`, () => {
      assert.throws(
        () => isShown({}, filters),
        (error) => error instanceof ApiError && error.status === 400 && error.message === message,
      );
    });
  }
});

describe('the choice from a block', () => {
  const first = engines[0]?.engine;
  assert.ok(first);
  const engine = first;
  const block = ['web', 'web-2', 'db', 'cache.1'].map((name, index) => {
    const State = index < 2 ? 'running' : 'exited';
    const row = {
      Id: name,
      Names: [`/${name}`],
      Image: '',
      ImageID: '',
      Created: 1,
      State,
      Labels: { [name]: `${index}` },
    };
    return { engine, record: { id: name, name, row, details: undefined } };
  });

  for (const [filters, all, expected] of [
    [{}, true, 'web web-2 db cache.1'],
    [{}, false, 'web web-2'],
    [{ name: ['web'] }, true, 'web web-2'],
    [{ name: ['^web$'] }, true, 'web'],
    [{ name: ['^/web$', 'd'] }, true, 'web db'],
    [{ name: ['2$'] }, true, 'web-2'],
    [{ name: ['cache.1'] }, true, 'cache.1'],
    [{ name: ['^(db|w.*2)$'] }, true, 'web-2 db'],
    [{ name: ['node-1/db'] }, true, 'db'],
    [{ name: ['nothing'] }, true, ''],
    [{ label: ['web'] }, true, 'web'],
    [{ label: ['web=0'] }, true, 'web'],
    [{ label: ['web=1'] }, true, ''],
    [{ label: ['web', 'db'] }, true, ''],
    [{ label: ['db'] }, false, ''],
  ] as const) {
    it(`by ${JSON.stringify(filters)}${all ? '' : ' among those that are up'} is "${expected}"`, () => {
      const tests = containerTests({ filters: parseFilters(JSON.stringify(filters)), all, identityOf });
      assert.equal(
        selectFrom(block, tests)
          .map(({ record }) => record.name)
          .join(' '),
        expected,
      );
    });
  }

  it('is the block itself when all of it is wanted', () => {
    const up = block.slice(0, 2);
    const tests = containerTests({ filters: parseFilters('{"name":["web"]}'), all: false, identityOf });
    assert.equal(selectFrom(up, tests), up);
  });
});
