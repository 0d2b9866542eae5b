import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { containerServices } from '../../../../src/agent/container-services.ts';
import type { PublishedService } from '../../../../discovery/backend.ts';

const id = '0123456789abcdef'.repeat(4);

interface Inspected {
  readonly image?: string;
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: Readonly<Record<string, readonly object[] | null>>;
  readonly state?: object;
  readonly exposed?: readonly string[];
  readonly networkMode?: string;
}

function inspected(container: Inspected): object {
  const { image = 'team/web:1', env = [], labels = {}, state = {}, exposed = [], networkMode = 'default' } = container;
  return {
    Id: id,
    Name: '/some_name',
    State: { Running: true, Paused: false, ...state },
    HostConfig: { NetworkMode: networkMode },
    Config: {
      Image: image,
      Env: env,
      Labels: labels,
      ExposedPorts: Object.fromEntries(exposed.map((key) => [key, {}])),
    },
    NetworkSettings: { Ports: container.ports ?? { '80/tcp': on(8080) } },
  };
}

function on(port: number, ip = '0.0.0.0'): readonly object[] {
  return [{ HostIp: ip, HostPort: String(port) }];
}

function service(changes: Partial<PublishedService>): PublishedService {
  const whole = { id: '0123456789ab-8080', name: 'web', tags: [], host: '10.0.0.11', port: 8080, trouble: undefined };
  return { ...whole, ...changes };
}

const two = { '80/tcp': on(8080), '443/tcp': on(8443) };

const cases: readonly {
  readonly title: string;
  readonly container: Inspected;
  readonly services: readonly PublishedService[];
}[] = [
  { title: 'the base name of its image', container: {}, services: [service({})] },
  ...['web', 'web:1.2', 'registry:5000/a/web', 'registry:5000/a/web:1@sha256:0a', 'web@sha256:0a'].map((image) => ({
    title: `the base name of the image ${image}`,
    container: { image },
    services: [service({})],
  })),
  {
    title: 'its own name where the image has none, as the DNS can have it',
    container: { image: `sha256:${id}` },
    services: [service({ name: 'some-name' })],
  },
  {
    title: 'the service of its Compose project',
    container: { labels: { 'com.docker.compose.service': 'front_end' } },
    services: [service({ name: 'front-end' })],
  },
  {
    title: 'names and tags of its environment',
    container: { env: ['SERVICE_NAME=shop', 'SERVICE_TAGS=a, b,,', 'OTHER=1', 'PLAIN'] },
    services: [service({ name: 'shop', tags: ['a', 'b'] })],
  },
  {
    title: 'labels rather than its environment',
    container: { env: ['SERVICE_NAME=shop'], labels: { SERVICE_NAME: 'store' } },
    services: [service({ name: 'store' })],
  },
  {
    title: 'a name with the port for each of several ports',
    container: { ports: two },
    services: [service({ name: 'web-80' }), service({ id: '0123456789ab-8443', name: 'web-443', port: 8443 })],
  },
  {
    title: 'names and tags of single ports',
    container: {
      ports: two,
      env: ['SERVICE_NAME=shop', 'SERVICE_TAGS=all', 'SERVICE_443_NAME=secure', 'SERVICE_443_TAGS=tls'],
    },
    services: [
      service({ name: 'shop-80', tags: ['all'] }),
      service({ id: '0123456789ab-8443', name: 'secure', tags: ['tls'], port: 8443 }),
    ],
  },
  { title: 'nothing when it is to be ignored', container: { env: ['SERVICE_IGNORE=true'] }, services: [] },
  {
    title: 'all but the ports that are to be ignored',
    container: { ports: two, env: ['SERVICE_443_IGNORE=1'] },
    services: [service({})],
  },
  { title: 'nothing that is not published', container: { ports: { '80/tcp': null } }, services: [] },
  { title: 'nothing while it does not run', container: { state: { Running: false } }, services: [] },
  {
    title: 'a port of all addresses once',
    container: { ports: { '80/tcp': [...on(8080), ...on(8080, '::')] } },
    services: [service({})],
  },
  {
    title: 'the address that a port has been given, and none that is of the node alone',
    container: { ports: { '80/tcp': [...on(8080, '10.9.0.1'), ...on(8081, '127.0.0.1'), ...on(8082, '::1')] } },
    services: [service({ id: '0123456789ab-10.9.0.1-8080', host: '10.9.0.1' })],
  },
  {
    title: 'ports of UDP with a tag',
    container: { ports: { '53/udp': on(53), '53/tcp': on(53), '7/sctp': on(7) } },
    services: [
      service({ id: '0123456789ab-53-udp', port: 53, tags: ['udp'] }),
      service({ id: '0123456789ab-53', port: 53 }),
    ],
  },
  {
    title: 'what the image exposes in the network of the host',
    container: { networkMode: 'host', ports: {}, exposed: ['9000/tcp'] },
    services: [service({ id: '0123456789ab-9000', port: 9000 })],
  },
  ...[
    { state: { Paused: true }, trouble: 'the container is paused' },
    { state: { Health: { Status: 'starting' } }, trouble: 'the container is starting' },
    { state: { Health: { Status: 'unhealthy' } }, trouble: 'the container is unhealthy' },
    { state: { Health: { Status: 'healthy' } }, trouble: undefined },
  ].map(({ state, trouble }) => ({
    title: `${trouble ?? 'no trouble'} for ${JSON.stringify(state)}`,
    container: { state },
    services: [service({ trouble })],
  })),
];

describe('the services of a container', () => {
  for (const { title, container, services } of cases) {
    it(`have ${title}`, () => {
      assert.deepEqual(containerServices(inspected(container), '10.0.0.11'), services);
    });
  }

  it('are none of what is no container', () => {
    for (const none of [undefined, {}, 3, { Id: id }]) assert.deepEqual(containerServices(none, 'a'), []);
  });
});
