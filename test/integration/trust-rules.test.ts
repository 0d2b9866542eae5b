// Rules over a whole manager: who is refused what, in which words, what the others see, and what the audit log has of it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, afterEach, before, describe, it } from 'mocha';
import { openEmbeddedRegistry, type EmbeddedRegistry } from '../../discovery/embedded.ts';
import { embeddedRoutes } from '../../discovery/embedded-routes.ts';
import { assertMayAnnounce } from '../../src/api/announcers.ts';
import type { AuditEntry } from '../../src/api/audit.ts';
import { stateCaller } from '../../src/api/caller.ts';
import { parseRules } from '../../src/authorization/parse-rules.ts';
import { RulesFile } from '../../src/authorization/rules-file.ts';
import type { CertifiedKey } from '../../src/certificates/issue.ts';
import { TaskSet } from '../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { recordingEverything } from '../support/recording-logger.ts';
import { CertificateAuthority } from '../support/rig/certificates.ts';
import { startSimulatedCluster, type SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const token = 'canary-of-a-bearer-token';
const text = `
tokens: { ci: sha256:${createHash('sha256').update(token).digest('hex')} }
revoked: [name:bob, name:stolen]
managers: [name:fellow, name:stolen]
agents: [name:node-1, name:stolen]
rules:
  - { name: operators, who: unit:ops, allow: all }
  - name: web team
    who: [name:ann]
    allow: [read, logs, create, run, exec, remove, volume, network, image, build]
    labels: { team: web }
    nodes: [node-1]
    forbid: all
    mounts: [/srv/web]
  - { name: pipelines, who: token:ci, allow: [read, create, run] }
  - { name: onlookers, who: anyone, allow: read }
`;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly message: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const web = { Image: 'busybox', Labels: { team: 'web' } };

describe('rules', () => {
  let shoal: SimulatedCluster;
  let ours: CertificateAuthority;
  let rules = parseRules(text);
  let registry: EmbeddedRegistry;
  const people = new Map<string, CertifiedKey>();
  const audit: AuditEntry[] = [];
  const log: string[] = [];

  before(async () => {
    ours = await CertificateAuthority.create('unused', 'ours');
    const server = await ours.sign('manager', { addresses: ['127.0.0.1'] });
    for (const name of ['ann', 'bob', 'carol', 'dave', 'fellow', 'stolen', 'node-1'])
      people.set(name, await ours.sign(name));
    people.set('olga', await ours.sign('olga', { units: ['ops'] }));
    registry = await openEmbeddedRegistry({ logger: createSilentLogger() });
    shoal = await startSimulatedCluster({
      cluster: { logger: recordingEverything(log) },
      server: {
        tls: { ...server, clientCa: ours.cert },
        rules: () => rules,
        audit: { record: (entry) => audit.push(entry) },
        logger: recordingEverything(log),
        intercept: embeddedRoutes(registry, (req) => {
          assertMayAnnounce(rules, req);
        }),
      },
    });
    await ask('olga', create('theirs', { Image: 'busybox', Labels: { team: 'other' } }));
    await ask('ann', create('hers', web));
    await ask('olga', create('far', { ...web, Env: ['constraint:node==node-2'] }));
  });

  after(async () => {
    await registry.stop();
    await shoal.stop();
  });

  afterEach(() => void audit.splice(0));

  function create(name: string, body: object): Request {
    return { method: 'POST', path: `/containers/create?name=${name}`, body };
  }

  function ask(who: string, { method, path, body, headers = {} }: Request): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const target = {
        host: '127.0.0.1',
        port: shoal.port,
        method,
        path,
        agent: false,
        headers: { ...type, ...headers },
      };
      const request = https.request({ ...target, ca: ours.cert, ...people.get(who) }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: answer, message: messageOf(answer) });
        });
      });
      request.on('error', reject);
      request.end(payload);
    });
  }

  const refusals: readonly (readonly [who: string, request: Request, says: RegExp])[] = [
    ['bob', { method: 'GET', path: '/_ping' }, /bob is revoked$/],
    [
      'carol',
      { method: 'POST', path: '/containers/hers/start' },
      /by rule "onlookers": run is not allowed \(POST \/containers\/\{name\*\}\/start\)/,
    ],
    ['carol', { method: 'GET', path: '/v1.41/containers/hers/logs?stdout=1' }, /"onlookers": logs is not allowed/],
    ['carol', create('x', web), /"onlookers": create is not allowed/],
    ['carol', { method: 'DELETE', path: '/containers/hers?force=1' }, /"onlookers": remove is not allowed/],
    ['carol', { method: 'POST', path: '/images/create?fromImage=x' }, /"onlookers": image is not allowed/],
    ['carol', { method: 'POST', path: '/build' }, /"onlookers": build is not allowed/],
    ['carol', { method: 'POST', path: '/nodes/node-1/update?version=1', body: {} }, /"onlookers": node is not allowed/],
    ['ann', { method: 'POST', path: '/plugins/x/enable' }, /"web team": plugin is not allowed/],
    ['ann', create('x', { Image: 'busybox' }), /"web team": a container must have the label team=web/],
    [
      'ann',
      create('x', { ...web, HostConfig: { Privileged: true } }),
      /"web team": a privileged container is forbidden/,
    ],
    ['ann', create('x', { ...web, hostconfig: { privileged: true } }), /a privileged container is forbidden/],
    ['ann', create('x', { ...web, HostConfig: { Binds: ['/etc:/x'] } }), /the path \/etc of the host is forbidden/],
    ['ann', create('x', { ...web, HostConfig: { NetworkMode: 'host' } }), /the network of the host is forbidden/],
    [
      'ann',
      create('x', { ...web, HostConfig: { CapAdd: ['SYS_ADMIN'] } }),
      /the capabilities SYS_ADMIN is forbidden|capabilities SYS_ADMIN/,
    ],
    ['ann', create('x', { ...web, HostConfig: { VolumesFrom: ['theirs'] } }), /theirs has not the label team=web/],
    ['ann', create('x', { ...web, HostConfig: { PidMode: 'container:theirs' } }), /theirs has not the label/],
    ['ann', { method: 'POST', path: '/containers/theirs/start' }, /the container theirs has not the label team=web/],
    ['ann', { method: 'GET', path: '/containers/theirs/json' }, /theirs has not the label/],
    ['ann', { method: 'POST', path: '/containers/far/start' }, /the container far is on node node-2/],
    ['ann', { method: 'POST', path: '/commit?container=theirs' }, /theirs has not the label/],
    [
      'ann',
      { method: 'POST', path: '/containers/hers/exec', body: { Cmd: ['sh'], Privileged: true } },
      /a privileged command is forbidden/,
    ],
    ['ann', { method: 'DELETE', path: '/containers/hers/alias?link=1' }, /links cannot be kept/],
    [
      'ann',
      { method: 'POST', path: '/networks/bridge/connect', body: { Container: 'theirs' } },
      /theirs has not the label/,
    ],
    [
      'ann',
      {
        method: 'POST',
        path: '/volumes/create',
        body: { Name: 'x', DriverOpts: { type: 'none', o: 'bind', device: '/' } },
      },
      /the path \/ of the host/,
    ],
    ['ann', { method: 'POST', path: '/volumes/create', body: { Name: 'node-2/x' } }, /node node-2 is not allowed/],
    [
      'ann',
      { method: 'GET', path: `/containers/json?filters=${encodeURIComponent('{"node":["node-2"]}')}` },
      /node node-2 is not allowed/,
    ],
    ['ann', { method: 'GET', path: '/system/df' }, /cannot be kept to labels/],
    ['ann', { method: 'POST', path: '/build' }, /cannot be kept to/],
  ];
  for (const [who, request, says] of refusals) {
    it(`refuse ${who} ${request.method} ${request.path} ${request.body === undefined ? '' : JSON.stringify(request.body)}`, async () => {
      const { status, message } = await ask(who, request);
      assert.equal(status, 403, message);
      assert.match(message, says);
      assert.match(message, /^access denied: /);
    });
  }

  it('refuse an upgrade as any other call', async () => {
    const client = new RawConnection(
      tls.connect({ port: shoal.port, host: '127.0.0.1', ca: ours.cert, ...people.get('ann') }),
    );
    client.write(
      'POST /containers/theirs/attach?stream=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
    );
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 403 [^]*theirs has not the label/);
    await until('it is recorded', () => audit.length === 1);
    assert.equal(audit[0]!.status, 403);
    client.destroy();
  });

  it('refuse a token that nobody has', async () => {
    const headers = { authorization: 'Bearer wrong' };
    const { status, message } = await ask('carol', { method: 'GET', path: '/info', headers });
    assert.deepEqual([status, message], [401, 'the bearer token is none of those in the rules']);
  });

  it('let everybody do what is theirs', async () => {
    const allowed: readonly (readonly [who: string, request: Request])[] = [
      ['ann', create('allowed', { ...web, HostConfig: { Binds: ['/srv/web/a:/x', 'data:/data'] } })],
      ['ann', { method: 'POST', path: '/containers/allowed/start' }],
      ['ann', { method: 'GET', path: '/containers/allowed/json' }],
      ['ann', { method: 'POST', path: '/containers/allowed/exec', body: { Cmd: ['true'] } }],
      ['ann', { method: 'DELETE', path: '/containers/allowed?force=1' }],
      ['carol', { method: 'GET', path: '/info' }],
      ['olga', create('any', { Image: 'busybox', HostConfig: { Privileged: true } })],
      ['olga', { method: 'DELETE', path: '/containers/any' }],
      ['olga', { method: 'GET', path: '/system/df' }],
    ];
    for (const [who, request] of allowed) {
      const { status, body } = await ask(who, request);
      assert.ok(status < 300, `${who} ${request.path}: ${status} ${body}`);
    }
  });

  it('leave to the engines what is not there', async () => {
    const { status, message } = await ask('ann', { method: 'GET', path: '/containers/nothing/json' });
    assert.deepEqual([status, message], [404, 'No such container: nothing']);
  });

  it('show what the caller may see', async () => {
    const names = async (who: string): Promise<string[]> => {
      const { body } = await ask(who, { method: 'GET', path: '/containers/json?all=1' });
      const rows = JSON.parse(body) as { readonly Names: readonly string[] }[];
      return rows.flatMap((row) => row.Names.filter((name) => !name.slice(1).includes('/'))).sort();
    };
    assert.deepEqual(await names('ann'), ['/hers']);
    assert.deepEqual(await names('carol'), ['/far', '/hers', '/theirs']);
  });

  it('place what the caller creates on its nodes alone', async () => {
    for (const name of ['one', 'two', 'three']) {
      const { status, body } = await ask('ann', create(name, web));
      assert.equal(status, 201, body);
      assert.equal(shoal.cluster.containers.find(name)?.engine.name, 'node-1');
    }
    const elsewhere = { ...web, Env: ['constraint:node==node-2'] };
    const { status, message } = await ask('ann', create('elsewhere', elsewhere));
    assert.equal(status, 409, message);
    for (const name of ['one', 'two', 'three']) await ask('ann', { method: 'DELETE', path: `/containers/${name}` });
  });

  it('keep a token from the engines', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await ask('carol', { ...create('of-ci', { Image: 'busybox' }), headers });
    assert.equal(status, 201);
    const saved = rules;
    rules = parseRules(text.replace(/.*onlookers.*\n/, ''));
    try {
      const seen = shoal.engines.flatMap(({ requests }) => requests.flatMap((one) => Object.keys(one.headers)));
      assert.ok(seen.length > 0);
      assert.equal(seen.includes('authorization'), false);
      const { message } = await ask('dave', { method: 'GET', path: '/info' });
      assert.equal(message, 'access denied: no rule names dave');
    } finally {
      rules = saved;
    }
    await ask('olga', { method: 'DELETE', path: '/containers/of-ci' });
  });

  it('are those of the caller whose call another manager passes on, and of nobody who only says so', async () => {
    const olga = { certificate: { name: 'olga', units: ['ops'], serial: '1', fingerprint: '2' }, address: '10.9.8.7' };
    const passed = { ...create('passed', { Image: 'busybox' }), headers: stateCaller(olga) };
    assert.equal((await ask('fellow', passed)).status, 201);
    await until('it is recorded', () => audit.length === 1);
    assert.deepEqual([audit[0]!.caller, audit[0]!.address], ['olga', '10.9.8.7']);
    const bob = { certificate: { ...olga.certificate, name: 'bob' }, address: '10.9.8.7' };
    const ofBob = await ask('fellow', { method: 'GET', path: '/info', headers: stateCaller(bob) });
    assert.match(ofBob.message, /bob is revoked/);
    const forged = await ask('carol', { ...passed, path: '/containers/create?name=forged' });
    assert.match(forged.message, /"onlookers": create is not allowed/);
    assert.match((await ask('stolen', passed)).message, /stolen is revoked/);
    const headers = { 'x-shoal-caller': 'nonsense' };
    const nonsense = await ask('fellow', { method: 'GET', path: '/info', headers });
    assert.deepEqual([nonsense.status, nonsense.message], [400, 'invalid header X-Shoal-Caller']);
    const seen = shoal.engines.flatMap(({ requests }) => requests.flatMap((one) => Object.keys(one.headers)));
    assert.equal(seen.includes('x-shoal-caller'), false);
    await ask('olga', { method: 'DELETE', path: '/containers/passed' });
  });

  it('keep everybody but agents from announcing engines and from taking them away', async () => {
    const announced = { path: '/shoal/v1/nodes/10.0.0.9:2375', body: { ttlMs: 15_000, alive: true } };
    const refused = (who: string): Promise<Answer> => ask(who, { method: 'PUT', ...announced });
    assert.match((await refused('olga')).message, /^access denied: olga is no agent$/);
    assert.match((await refused('stolen')).message, /stolen is no agent/);
    assert.equal((await ask('node-1', { method: 'PUT', ...announced })).status, 204);
    assert.match((await ask('carol', { method: 'DELETE', path: announced.path })).message, /carol is no agent/);
    assert.match((await ask('carol', { method: 'GET', path: '/shoal/v1/nodes' })).body, /10\.0\.0\.9:2375/);
    assert.match((await ask('bob', { method: 'GET', path: '/shoal/v1/nodes' })).message, /bob is no agent/);

    const saved = rules;
    rules = { ...saved, agents: undefined };
    try {
      assert.match((await ask('bob', { method: 'DELETE', path: announced.path })).message, /bob is no agent/);
      assert.equal((await ask('carol', { method: 'DELETE', path: announced.path })).status, 204);
    } finally {
      rules = saved;
    }
  });

  it('are recorded with who did what to what, where, and how it ended', async () => {
    await ask('olga', create('recorded', { Image: 'busybox' }));
    await ask('olga', { method: 'POST', path: '/containers/recorded/start' });
    await ask('ann', { method: 'DELETE', path: '/containers/recorded' });
    await ask('olga', { method: 'GET', path: '/containers/json' });
    await ask('olga', { method: 'DELETE', path: '/containers/recorded?force=1' });
    await until('all of it is recorded', () => audit.length === 4);
    const node = audit[0]!.node;
    assert.match(node, /^node-[12]$/);
    assert.deepEqual(
      audit.map(({ caller, address, route, object, node: where, status, denied }) => {
        return [caller, address, route, object, where, status, denied];
      }),
      [
        ['olga', '127.0.0.1', '/containers/create', 'recorded', node, 201, undefined],
        ['olga', '127.0.0.1', '/containers/{name*}/start', 'recorded', node, 204, undefined],
        [
          ...['ann', '127.0.0.1', '/containers/{name*}', 'recorded', '', 403],
          'access denied: by rule "web team": the container recorded has not the label team=web',
        ],
        ['olga', '127.0.0.1', '/containers/{name*}', 'recorded', node, 204, undefined],
      ],
    );
    for (const { time, durationMs } of audit) assert.ok(!Number.isNaN(Date.parse(time)) && durationMs >= 0);
  });

  it('and logs tell no secret, wherever it was sent', async () => {
    const canary = 'canary-9c1f';
    const secret = Buffer.from(JSON.stringify({ username: canary, password: canary })).toString('base64url');
    const headers = {
      authorization: `Bearer ${token}`,
      'x-registry-auth': secret,
      'x-registry-config': secret,
    };
    const Env = [`PASSWORD=${canary}`];
    const args = encodeURIComponent(JSON.stringify({ TOKEN: canary }));
    const events = ask('olga', { method: 'GET', path: `/events?since=0&until=${Math.ceil(Date.now() / 1000) + 1}` });
    const replies = [
      await ask('olga', { ...create('canary', { Image: 'busybox', Env }), headers }),
      await ask('olga', { method: 'POST', path: `/build?t=x&buildargs=${args}`, headers }),
      await ask('olga', { method: 'POST', path: '/images/create?fromImage=nowhere&tag=1', headers }),
      await ask('olga', { method: 'POST', path: '/auth', body: { username: canary, password: canary } }),
      await ask('olga', { method: 'POST', path: '/containers/canary/exec', body: { Cmd: ['x'], Env }, headers }),
      await ask('carol', { ...create('denied', { Image: 'busybox', Env }), headers }),
      await ask('olga', { ...create('broken', { Image: 'busybox', Env, HostConfig: { Memory: 'x' } }), headers }),
      await ask('olga', { method: 'GET', path: '/info', headers: { authorization: `Bearer ${canary}` } }),
    ];
    assert.equal(replies.filter(({ status }) => status === 201).length, 2, JSON.stringify(replies));
    const told = [
      ...[log.join('\n'), JSON.stringify(audit), (await events).body],
      ...replies.map(({ body }) => body),
      (await ask('olga', { method: 'GET', path: '/info' })).body,
      (await ask('olga', { method: 'GET', path: '/containers/json?all=1' })).body,
    ].join('\n');
    for (const hidden of [canary, secret, token, Buffer.from(canary).toString('base64').slice(0, 12)])
      assert.equal(told.includes(hidden), false, hidden);
  });

  describe('in a file', () => {
    let folder: string;
    const tasks = new TaskSet(createSilentLogger());

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'shoal-rules-'));
    });

    after(async () => {
      await tasks.stop();
      await rm(folder, { recursive: true });
    });

    it('hold from the moment it is written, and a broken one changes nothing', async () => {
      const path = join(folder, 'rules.yaml');
      const lines: string[] = [];
      await writeFile(path, text);
      const file = new RulesFile(path, recordingEverything(lines));
      tasks.spawn('follow', (signal) => file.follow(signal));
      await writeFile(path, text.replace('allow: read }', 'allow: reed }'));
      await until('the mistake is told', () => lines.some((line) => line.includes('rules.yaml: line 16: \\"reed')));
      assert.equal(file.current.rules.length, 4);
      await writeFile(path, 'rules: []');
      await until('the new rules hold', () => file.current.rules.length === 0);
      assert.throws(() => new RulesFile(join(folder, 'absent'), createSilentLogger()), /ENOENT/);
    });
  });
});

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: string };
    return message ?? '';
  } catch {
    return '';
  }
}
