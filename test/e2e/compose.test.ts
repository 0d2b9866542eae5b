// A Compose project works as on one host, with the old Compose and the new one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { outputOf } from '../support/child-output.ts';
import { elements, field, text } from '../support/document.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

// Every process is the first of its container and would not heed SIGTERM.
const composeFile = `

services:
  db:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c 'sleep 1; echo ready > /data/ready; exec sleep 3600'
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "test", "-f", "/data/ready"], interval: 500ms, timeout: 5s, retries: 60}
  app:
    image: busybox
    stop_signal: SIGKILL
    command: httpd -f -p 8000 -h /etc
    environment: ["GREETING=\${GREETING:-hello}"]
    ports: ["8000:8000"]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: ["CMD", "wget", "-q", "-O-", "http://localhost:8000/passwd"], interval: 500ms, timeout: 5s, retries: 60}
  front:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c 'while :; do wget -q -O /dev/null http://app:8000/passwd && echo reached the app; sleep 1; done'
    depends_on: {app: {condition: service_healthy}}
    healthcheck: {test: ["CMD", "wget", "-q", "-O-", "http://app:8000/passwd"], interval: 500ms, timeout: 5s, retries: 60}
volumes: {data: {}}
`;
const foregroundFile = `

services:
  job:
    image: busybox
    command: sh -c 'echo working; sleep 0.5; exit 5'
    environment: [PLACE=here]
  keeper:
    image: busybox
    stop_signal: SIGKILL
    command: sh -c 'while echo kept; do sleep 0.3; done'
`;
const services = ['app', 'db', 'front'] as const;

describe('a Compose project of three services', () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5', '20.10'], compose: true });
  });

  after(async () => {
    await rig.stop();
  });

  for (const version of ['v1', 'v2'] as const) {
    describe(`with Compose ${version}`, () => {
      let folder: string;

      before(() => {
        folder = `${stateDirectory(rig.kind)}/project${version}`;
        mkdirSync(folder, { recursive: true });
        writeFileSync(`${folder}/docker-compose.yml`, composeFile);
      });

      it('comes up in the order of its dependencies, all healthy, on one node', async () => {
        await compose(['up', '-d']);
        await until(
          'all are healthy',
          async () => {
            const inspected = await inspectAll();
            return services.every((service) => field(inspected[service], 'State', 'Health', 'Status') === 'healthy');
          },
          30_000,
        );
        const inspected = await inspectAll();
        assert.equal(new Set(services.map((service) => text(inspected[service], 'Node', 'Name'))).size, 1);
        const [db, app, front] = ['db', 'app', 'front'].map((service) =>
          Date.parse(text(inspected[service], 'State', 'StartedAt')),
        );
        assert.ok(db! < app! && app! < front!);
        const page = `http://${text(inspected['app'], 'Node', 'IP')}:8000/passwd`;
        assert.match((await httpCall({ method: 'GET', url: page })).text, /^root:/);
      });

      it('is listed, with its published port', async () => {
        const printed = await compose(['ps']);
        for (const service of services) assert.match(printed, new RegExp(`project${version}[-_]${service}[-_]1`));
        assert.equal(printed.match(/\(healthy\)/g)?.length, 3, printed);
        assert.match(printed, /:8000->8000\/tcp/);
        assert.equal((await compose(['ps', '-q'])).trim().split('\n').length, 3);
      });

      it('shows what its services wrote', async () => {
        assert.match(await compose(['logs', '--no-color']), /front.*\| *reached the app/);
        assert.doesNotMatch(await compose(['logs', '--no-color', 'db']), /reached/);
      });

      it('runs commands in its services, their exit code kept', async () => {
        assert.equal(await compose(['exec', '-T', 'db', 'cat', '/data/ready']), 'ready\n');
        assert.equal(await compose(['exec', '-T', 'app', 'sh', '-c', 'echo $GREETING']), 'hello\n');
        const { code } = await rig.compose(version, ['exec', '-T', 'app', 'sh', '-c', 'exit 3'], { cwd: folder });
        assert.equal(code, 3);
      });

      it('recreates nothing at a second up', async () => {
        const idsBefore = await ids();
        await compose(['up', '-d']);
        assert.deepEqual(await ids(), idsBefore);
      });

      it('recreates the one service whose environment changed, on the same port', async () => {
        const idsBefore = await ids();
        await compose(['up', '-d'], { GREETING: 'goodbye' });
        const idsAfter = await ids();
        assert.notEqual(idsAfter['app'], idsBefore['app']);
        assert.equal(idsAfter['db'], idsBefore['db']);
        assert.equal(await compose(['exec', '-T', 'app', 'sh', '-c', 'echo $GREETING']), 'goodbye\n');
        assert.match(await compose(['port', 'app', '8000']), /:8000$/m);
      });

      it('stops and starts again with its data', async () => {
        const idsBefore = await ids();
        await compose(['stop']);
        await compose(['start']);
        assert.deepEqual(await ids(), idsBefore);
        assert.equal(await compose(['exec', '-T', 'db', 'cat', '/data/ready']), 'ready\n');
      });

      it('goes down and leaves nothing on any node', async () => {
        await compose(['down', '-v']);
        for (const engine of rig.engines) {
          assert.deepEqual((await engine.api('GET', '/containers/json?all=1')).json, [], engine.name);
          assert.deepEqual(
            elements((await engine.api('GET', '/networks')).json)
              .map((row) => text(row, 'Name'))
              .sort(),
            ['bridge', 'host', 'none'],
          );
          assert.deepEqual(field((await engine.api('GET', '/volumes')).json, 'Volumes') ?? [], []);
        }
        assert.deepEqual((await rig.api('GET', '/containers/json?all=1')).json, []);
      });

      describe('in the foreground', () => {
        before(() => {
          folder = `${stateDirectory(rig.kind)}/shown${version}`;
          mkdirSync(folder, { recursive: true });
          writeFileSync(`${folder}/docker-compose.yml`, foregroundFile);
        });

        after(async () => {
          await compose(['down', '-v']);
        });

        it('ends with the exit code of the service that it is told to follow', async () => {
          const { code, stdout, stderr } = await rig.compose(version, ['up', '--exit-code-from', 'job'], {
            cwd: folder,
          });
          assert.equal(code, 5, stderr);
          assert.match(stdout, /job.*\|.*working/);
          await until('the other service is stopped', async () => (await running()).length === 0);
        });

        it('stops every service when it is interrupted', async () => {
          const up = rig.clients.spawnCompose(version, ['up', 'keeper'], { cwd: folder });
          const [shown, closed] = [outputOf(up), once(up, 'close')];
          await until('the service is heard', () => /keeper.*\|.*kept/.test(shown()), 30_000);
          assert.deepEqual(await running(), ['keeper']);
          up.kill('SIGINT');
          await closed;
          assert.deepEqual(await running(), []);
        });

        it('runs a command of its own beside the services', async () => {
          const ran = await rig.compose(version, ['run', '--rm', '-T', 'job', 'sh', '-c', 'cat; echo $PLACE; exit 4'], {
            cwd: folder,
            input: 'typed\n',
          });
          assert.deepEqual([ran.code, ran.stdout], [4, 'typed\nhere\n']);
          const names = elements((await rig.api('GET', '/containers/json?all=1')).json).map((row) =>
            text(row, 'Image'),
          );
          assert.equal(names.length, 2, 'the container of the command is removed');
        });

        it('tells of events as they happen', async () => {
          const events = rig.clients.spawnCompose(version, ['events', '--json'], { cwd: folder });
          const [shown, closed] = [outputOf(events), once(events, 'close')];
          // Nothing shows when the program has begun to listen.
          await until('a start is told', async () => {
            await compose(['restart', '-t', '0', 'keeper']);
            return shown().includes('"start"') && /"service": ?"keeper"/.test(shown());
          });
          events.kill('SIGINT');
          await closed;
        });

        if (version === 'v2') {
          it('copies files into a service and out of it', async () => {
            writeFileSync(`${folder}/there`, 'copied\n');
            await compose(['cp', 'there', 'keeper:/tmp/there']);
            await compose(['cp', 'keeper:/tmp/there', 'back']);
            assert.equal(readFileSync(`${folder}/back`, 'utf8'), 'copied\n');
          });
        }

        /** The services that have a running container. */
        async function running(): Promise<string[]> {
          const filters = JSON.stringify({ label: [`com.docker.compose.project=shown${version}`] });
          const { json } = await rig.api('GET', `/containers/json?filters=${encodeURIComponent(filters)}`);
          return elements(json).map((row) => text(row, 'Labels', 'com.docker.compose.service'));
        }
      });

      async function compose(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
        const { code, stdout, stderr } = await rig.compose(version, args, { cwd: folder, env });
        assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
        return stdout;
      }

      async function inspectAll(): Promise<Record<string, unknown>> {
        const filters = JSON.stringify({ label: [`com.docker.compose.project=project${version}`] });
        const { json } = await rig.api('GET', `/containers/json?all=1&filters=${encodeURIComponent(filters)}`);
        const inspected = await Promise.all(
          elements(json).map(async (row) => (await rig.api('GET', `/containers/${text(row, 'Id')}/json`)).json),
        );
        return Object.fromEntries(
          inspected.map((document) => [text(document, 'Config', 'Labels', 'com.docker.compose.service'), document]),
        );
      }

      async function ids(): Promise<Record<string, string>> {
        const inspected = await inspectAll();
        return Object.fromEntries(services.map((service) => [service, text(inspected[service], 'Id')]));
      }
    });
  }

  describe('whose node does not answer', () => {
    it('is not made a second time, and up fails', async () => {
      const one = '{image: busybox, command: sleep 3600, stop_signal: SIGKILL, volumes: ["data:/data"]}';
      const file = `services: {one: ${one}}\nvolumes: {data: {}}\n`;
      const run = async (version: 'v1' | 'v2', args: readonly string[]): Promise<{ code: number; stderr: string }> => {
        const cwd = `${stateDirectory(rig.kind)}/lost${version}`;
        mkdirSync(cwd, { recursive: true });
        writeFileSync(`${cwd}/docker-compose.yml`, file);
        return await rig.compose(version, args, { cwd });
      };
      const versions = ['v1', 'v2'] as const;
      for (const version of versions) assert.equal((await run(version, ['up', '-d'])).code, 0);
      const before = await listed();
      assert.equal(before.length, 2);

      const nodes = await Promise.all(
        before.map(async (row) => text((await rig.api('GET', `/containers/${idOf(row)}/json`)).json, 'Node', 'Name')),
      );
      const lost = rig.engines.filter(({ name }) => nodes.includes(name));
      for (const engine of lost) engine.stop();
      await until(
        'its containers are marked',
        async () => (await listed()).every((row) => row.endsWith('Host Down')),
        30_000,
      );
      for (const version of versions) {
        const { code, stderr } = await run(version, ['up', '-d']);
        assert.notEqual(code, 0);
        assert.match(stderr, /node-\d cannot be reached/);
      }
      assert.equal((await listed()).length, 2);

      for (const engine of lost) engine.cont();
      await rig.manager.waitUntilHealthy(3);
      for (const version of versions) assert.equal((await run(version, ['up', '-d'])).code, 0);
      assert.deepEqual((await listed()).map(idOf), before.map(idOf));
      for (const version of versions) assert.equal((await run(version, ['down', '-v', '-t', '0'])).code, 0);
    });

    /** "id status" of every container. */
    async function listed(): Promise<string[]> {
      const rows = elements((await rig.api('GET', '/containers/json?all=1')).json);
      return rows.map((row) => `${text(row, 'Id')} ${text(row, 'Status')}`).sort();
    }

    function idOf(row: string): string {
      return row.split(' ')[0] ?? '';
    }
  });
});
