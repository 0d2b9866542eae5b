// Containers as services of a real Consul, and a stock HAProxy that finds them there by Consul's DNS alone.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { systemEnvironment } from '../support/rig/command.ts';
import { httpCall } from '../support/rig/http-call.ts';
import { bridgeAddress, stateDirectory } from '../support/rig/rig-kind.ts';
import { RigProcess } from '../support/rig/rig-process.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

/** Says its name to whoever asks. */
const server = 'mkdir -p /www; echo -n $NAME > /www/index.html; exec httpd -f -p 80 -h /www';
const dnsPort = 8600;
const proxyPort = 8088;

describe('containers as services of Consul', () => {
  let rig: Rig;
  let proxy: RigProcess;

  before(async () => {
    rig = await startRig({
      engines: ['20.10', '20.10', '28.5'],
      discovery: 'consul',
      consul: { args: [`-dns-port=${dnsPort}`] },
      agentArgs: ['--services', '--heartbeat', '1s', '--ttl', '4s'],
      needs: ['haproxy'],
    });
    proxy = await startProxy(rig);
    for (const number of [1, 2, 3])
      await run(`web-${number}`, number, ['-e', 'SERVICE_NAME=web', '-e', 'SERVICE_TAGS=a,b']);
  });

  after(async () => {
    await proxy.kill();
    await rig.stop();
  });

  async function docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await rig.docker(args);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function run(name: string, node: number, options: readonly string[]): Promise<void> {
    const place = ['-e', `constraint:node==node-${node}`, '-e', `NAME=${name}`];
    await docker('run', '-d', '--name', name, '-p', '80', ...place, ...options, 'busybox', 'sh', '-c', server);
  }

  /** The addresses of the service that Consul would send somebody to, or of all there are. */
  async function places(service: string, which: 'passing' | 'all' = 'passing'): Promise<readonly string[]> {
    const url = `http://${rig.consul.address}/v1/health/service/${service}${which === 'passing' ? '?passing' : ''}`;
    const { json } = await httpCall({ method: 'GET', url, timeoutMs: 5_000 });
    const services = elements(json).map((item) => field(item, 'Service'));
    return services.map((found) => text(found, 'Address')).sort();
  }

  async function arePlaces(service: string, nodes: readonly number[], timeoutMs = 20_000): Promise<void> {
    const wanted = nodes.map((number) => rig.engines[number - 1]!.address.split(':')[0]).join();
    await until(
      `${service} is on the nodes ${nodes.join()}`,
      async () => (await places(service)).join() === wanted,
      timeoutMs,
    );
  }

  /** Who answers so many calls to the proxy, one after the other. */
  async function answerers(calls: number): Promise<readonly string[]> {
    const url = `http://${bridgeAddress(rig.kind)}:${proxyPort}/`;
    const names = new Set<string>();
    for (let index = 0; index < calls; index += 1) {
      const { status, text: name } = await httpCall({ method: 'GET', url, timeoutMs: 5_000 });
      names.add(status === 200 ? name : String(status));
    }
    return [...names].sort();
  }

  it('are balanced by a stock HAProxy over three nodes, and leave it when they stop', async () => {
    await arePlaces('web', [1, 2, 3]);
    await until('all three answer', async () => (await answerers(9)).join() === 'web-1,web-2,web-3', 20_000);
    await docker('stop', '-t', '0', 'web-2');
    await arePlaces('web', [1, 3]);
    await until('two answer', async () => (await answerers(9)).join() === 'web-1,web-3', 20_000);
    await docker('start', 'web-2');
    await until('all three answer again', async () => (await answerers(9)).join() === 'web-1,web-2,web-3', 20_000);
  });

  it('have the health of their containers', async () => {
    const health = ['--health-cmd', 'test -f /well', '--health-interval', '1s', '--health-retries', '1'];
    await run('sick', 1, [...health, '--label', 'SERVICE_80_NAME=sick']);
    await until('it is known', async () => (await places('sick', 'all')).length === 1);
    assert.deepEqual(await places('sick'), []);
    await docker('exec', 'sick', 'touch', '/well');
    await arePlaces('sick', [1]);
    await docker('exec', 'sick', 'rm', '/well');
    await arePlaces('sick', []);
    await docker('rm', '-f', 'sick');
    await until('it is gone', async () => (await places('sick', 'all')).length === 0);
  });

  it('are known no more for well when their agent is gone, and are cleaned up when it starts again', async () => {
    const [agent] = rig.agents;
    await agent!.kill();
    await docker('rm', '-f', 'web-1');
    await arePlaces('web', [2, 3]);
    assert.equal((await places('web', 'all')).length, 3);
    await agent!.start();
    await until('it is cleaned up', async () => (await places('web', 'all')).length === 2);
    await run('web-1', 1, ['-e', 'SERVICE_NAME=web']);
    await arePlaces('web', [1, 2, 3]);
  });

  it('go when their agent stops, and come back when Consul has forgotten everything', async () => {
    await rig.agents[2]!.term();
    assert.equal((await places('web', 'all')).length, 2);
    await rig.consul.wipe();
    await arePlaces('web', [1, 2]);
    await rig.agents[2]!.start();
    await arePlaces('web', [1, 2, 3]);
  });
});

/** As Consul's own documentation has it: the servers come from SRV records, and nothing else tells of them. */
async function startProxy({ kind }: Rig): Promise<RigProcess> {
  const address = bridgeAddress(kind);
  const configuration = `${stateDirectory(kind)}/haproxy.cfg`;
  writeFileSync(
    configuration,
    `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
resolvers consul
  nameserver consul ${address}:${dnsPort}
  accepted_payload_size 8192
  timeout resolve 500ms
  hold valid 500ms
frontend all
  bind ${address}:${proxyPort}
  default_backend web
backend web
  balance roundrobin
  server-template web 5 _web._tcp.service.consul resolvers consul resolve-prefer ipv4 check inter 500ms
`,
  );
  return await RigProcess.start({
    kind,
    name: 'haproxy',
    command: 'haproxy',
    args: ['-db', '-f', configuration],
    env: systemEnvironment(),
    logFile: `${stateDirectory(kind)}/haproxy.log`,
  });
}
