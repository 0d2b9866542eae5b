// Containers do not notice the manager's death, and the next manager knows them at once.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, afterEach, before, describe, it } from 'mocha';
import { elements, text } from '../support/document.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

for (const discovery of ['embedded', 'consul'] as const) {
  describe(`a container that serves while the manager is killed (discovery ${discovery})`, () => {
    let rig: Rig;

    before(async () => {
      rig = await startRig({ engines: ['20.10', '28.5', '20.10'], discovery });
    });

    after(async () => {
      await rig.stop();
    });

    afterEach(async () => {
      await rig.docker(['rm', '-f', 'web']);
    });

    it('answers every request, keeps its start time, and obeys the next manager soon', async () => {
      const web = ['run', '-d', '--name', 'web', '-p', '8080:80', 'busybox', 'httpd', '-f', '-h', '/etc'];
      assert.equal((await rig.docker(web)).code, 0);
      const before = (await rig.api('GET', '/containers/web/json')).json;
      const poller = new Poller(`http://${text(before, 'Node', 'IP')}:8080/passwd`);
      await until('the container serves', () => poller.isAnswered());
      poller.start();
      await until('it was polled for a while', () => poller.answers > 10);

      await rig.manager.kill();
      const answersAtDeath = poller.answers;
      await until('it was polled without a manager', () => poller.answers > answersAtDeath + 20);
      const restarted = performance.now();
      await rig.manager.start();
      await until(
        'the new manager lists the container',
        async () => elements((await rig.api('GET', '/containers/json')).json).length === 1,
      );
      const inspected = (await rig.api('GET', '/containers/web/json')).json;
      const executed = await rig.docker(['exec', 'web', 'echo', 'alive']);
      await poller.stop();
      const stopped = await rig.docker(['stop', '-t', '0', 'web']);
      const seconds = (performance.now() - restarted) / 1000;

      assert.deepEqual(poller.failures, []);
      assert.equal(text(inspected, 'State', 'StartedAt'), text(before, 'State', 'StartedAt'));
      assert.equal(text(inspected, 'Id'), text(before, 'Id'));
      assert.deepEqual(executed, { code: 0, stdout: 'alive\n', stderr: '' });
      assert.deepEqual(stopped, { code: 0, stdout: 'web\n', stderr: '' });
      // Two seconds on a machine that has nothing else to do.
      assert.ok(seconds < 15, `listed, inspected, executed into and stopped after ${seconds} s`);
      assert.equal((await rig.docker(['ps', '-q'])).stdout, '');
    });
  });
}

/** Asks every 50 ms and remembers what went wrong. */
class Poller {
  readonly failures: string[] = [];
  answers = 0;
  readonly #url: string;
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async isAnswered(): Promise<boolean> {
    try {
      return (await httpCall({ method: 'GET', url: this.#url, timeoutMs: 1_000 })).status === 200;
    } catch {
      return false;
    }
  }

  start(): void {
    this.#running = this.#poll();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #poll(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      if (await this.isAnswered()) this.answers += 1;
      else this.failures.push(new Date().toISOString());
      await delay(50, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }
}
