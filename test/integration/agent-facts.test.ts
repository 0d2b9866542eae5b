import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { EngineView } from '../../src/agent/engine-view.ts';
import { ForeignPorts } from '../../src/agent/machine.ts';
import { NodeFacts, type NodeFactsOptions } from '../../src/agent/node-facts.ts';
import { keepNodeId } from '../../src/agent/node-id.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { parseFacts, type AnnouncedFacts } from '../../src/engine/announced-facts.ts';
import { portOf } from '../support/raw-peers.ts';
import { startSimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();

describe('what an agent tells of its node', () => {
  let folder: string;
  let running: NodeFacts | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-facts-'));
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await rm(folder, { recursive: true });
  });

  async function start(options: Partial<NodeFactsOptions>): Promise<() => AnnouncedFacts> {
    const facts = new NodeFacts({
      id: '',
      labels: {},
      reservedNanoCpus: 0,
      reservedMemoryBytes: 0,
      logger,
      ...options,
    });
    running = facts;
    await facts.start(() => undefined);
    return () => parseFacts(facts.text);
  }

  it('follows a file of labels, and keeps them while it cannot be read', async () => {
    const labelFile = join(folder, 'labels');
    await writeFile(labelFile, 'zone=a\ndisk=ssd\n');
    const told = await start({ labels: { zone: 'fixed' }, labelFile });
    assert.deepEqual(told().labels, { zone: 'fixed', disk: 'ssd' });
    await rm(labelFile);
    await writeFile(labelFile, 'disk=hdd\n');
    await until('the change is told', () => told().labels['disk'] === 'hdd');
  });

  it('follows what a script prints, and keeps it while the script fails', async () => {
    const labelScript = join(folder, 'script');
    await writeFile(labelScript, `#!/bin/sh\ncat ${folder}/out\n`);
    await chmod(labelScript, 0o755);
    await writeFile(join(folder, 'out'), 'load=low\n');
    const told = await start({ labelScript });
    assert.deepEqual(told().labels, { load: 'low' });
    await rm(join(folder, 'out'));
    await writeFile(join(folder, 'out'), 'load=high\n');
    await until('the change is told', () => told().labels['load'] === 'high');
  });

  it('tells of its id and its reserve', async () => {
    const told = await start({ id: 'an-id', reservedNanoCpus: 1e9, reservedMemoryBytes: 2048 });
    const { id, reservedNanoCpus, reservedMemoryBytes } = told();
    assert.deepEqual([id, reservedNanoCpus, reservedMemoryBytes], ['an-id', 1e9, 2048]);
  });

  it('finds ports of programs, which appear and go, and no ports of containers', async () => {
    const engine = await startSimulatedEngine({ name: 'node-1' });
    const [program, proxy] = [net.createServer(), net.createServer()];
    for (const server of [program, proxy]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const [foreign, published] = [portOf(program), portOf(proxy)];
    try {
      engine.createDirectly({
        body: { HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: String(published) }] } } },
      });
      const ports = new ForeignPorts(new EngineView({ host: '127.0.0.1', port: engine.port }));
      const { signal } = new AbortController();
      const look = async (): Promise<readonly number[]> => (await ports.read(signal)).map(({ port }) => port);
      await until('the program is seen', async () => (await look()).includes(foreign));
      assert.equal((await look()).includes(published), false);
      program.close();
      await until('it is seen to be gone', async () => !(await look()).includes(foreign));
    } finally {
      program.close();
      proxy.close();
      await engine.stop();
    }
  });

  it('makes an id once, also when two begin at the same time, and leaves no draft', async () => {
    const place = join(folder, 'state');
    const [one, two] = await Promise.all([keepNodeId(place), keepNodeId(place)]);
    assert.equal(one, two);
    assert.equal(await keepNodeId(place), one);
    assert.deepEqual(await readdir(place), ['node-id']);
    assert.notEqual(await keepNodeId(join(folder, 'other')), one);
  });

  it('does not replace an id that it cannot read', async () => {
    await writeFile(join(folder, 'node-id'), 'nonsense\n');
    await assert.rejects(keepNodeId(folder), /holds no id/);
  });
});
