import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { EngineView } from '../../src/agent/engine-view.ts';
import { ServiceAnnouncer } from '../../src/agent/service-announcer.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { startSimulatedEngine, type SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

describe("the services of an engine's containers", () => {
  let engine: SimulatedEngine;
  let announcer: ServiceAnnouncer;
  /** Every different set that was published, by names. */
  let published: string[];
  let failures: number;

  beforeEach(async () => {
    engine = await startSimulatedEngine({ name: 'node-1' });
    run('first');
    published = [];
    failures = 0;
    announcer = new ServiceAnnouncer({
      address: '10.0.0.1:2375',
      nodeHost: '10.0.0.1',
      engine: new EngineView({ host: '127.0.0.1', port: engine.port }),
      publish: (_address, services) => {
        if (failures > 0) {
          failures -= 1;
          return Promise.reject(new Error('the store does not answer'));
        }
        const names = services.map(({ name }) => name).join();
        if (published.at(-1) !== names) published.push(names);
        return Promise.resolve(true);
      },
      logger: createSilentLogger(),
    });
    announcer.start();
    await until('the first is published', () => published.length > 0);
  });

  afterEach(async () => {
    await announcer.stop();
    await engine.stop();
  });

  function run(name: string): void {
    const body = { HostConfig: { PortBindings: { '80/tcp': [{}] } } };
    engine.createDirectly({ name, labels: { SERVICE_NAME: name }, body });
  }

  it('are those that run, and follow what starts and ends', async () => {
    run('second');
    await until('the second is published', () => published.at(-1) === 'first,second');
    engine.exit('first', 0);
    await until('the first is gone', () => published.at(-1) === 'second');
    assert.deepEqual(published, ['first', 'first,second', 'second']);
  });

  it('stay while the engine is away, and are looked at anew when it is back', async () => {
    await engine.stop();
    run('second');
    engine.removeDirectly('first');
    await engine.listen();
    await until('the second is published', () => published.at(-1) === 'second');
    assert.deepEqual(published, ['first', 'second']);
  });

  it('are published as soon as the store takes them', async () => {
    failures = 1;
    run('second');
    await until('the second is published', () => published.at(-1) === 'first,second');
    assert.equal(failures, 0);
  });

  it('are looked at again after a pause when the engine refuses', async () => {
    const asked = (): number => engine.requests.filter(({ path }) => path === '/events').length;
    const before = asked();
    engine.faults.fail(/\/events/, { status: 500, message: 'broken' });
    engine.faults.dropEvents();
    await until('it was asked', () => asked() > before);
    const startMs = performance.now();
    await until('it was asked again', () => asked() > before + 1);
    assert.ok(performance.now() - startMs > 200);
    assert.deepEqual(published, ['first']);
  });

  it('leave no stream open when they are not followed any more', async () => {
    await until('events are followed', () => engine.eventStreams === 1);
    await announcer.stop();
    await until('nobody follows', () => engine.eventStreams === 0);
  });
});
