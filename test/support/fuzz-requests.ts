// Requests that nobody would send on purpose: a valid one for some operation of the API, bent in one or more places.
// The same seed makes the same requests.
import { operations, type Operation } from './api-operations.ts';
import { SeededRandom } from './seeded-random.ts';

export interface FuzzRequest {
  readonly method: string;
  /** All of it, as it goes over the wire. */
  readonly bytes: Buffer;
  /** Its body ends before it should: the client says so by closing its side. */
  readonly isTruncated: boolean;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

export class FuzzRequests {
  readonly #random: SeededRandom;
  readonly #references: readonly string[];

  /** `references`: names and ids of objects that exist. */
  constructor(seed: number, references: readonly string[]) {
    this.#random = new SeededRandom(seed);
    this.#references = references;
  }

  next(): FuzzRequest {
    const operation = this.#oneOf(operations);
    const method = this.#rarely(50) ? this.#oneOf(['PATCH', 'OPTIONS', 'HEAD', 'DELETE', 'POST']) : operation[0];
    const body = this.#body(operation);
    const isTruncated = body !== undefined && body.length > 1 && this.#rarely(25);
    const head = [
      `${method} ${this.#target(operation)} HTTP/1.1`,
      'Host: x',
      // An end of the connection that nobody has to wait for.
      'Connection: close',
      ...this.#headers(),
      ...(body === undefined ? ['Content-Length: 0'] : [`Content-Length: ${body.length}`]),
    ];
    const sent = isTruncated ? body.subarray(0, body.length >> 1) : (body ?? Buffer.alloc(0));
    const bytes = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), sent]);
    return { method, bytes, isTruncated };
  }

  #target(operation: Operation): string {
    const path = operation[1].replace(/\{\w+\}/g, () => this.#pathSegment());
    const query = this.#query(operation);
    const slashes = this.#rarely(60) ? '//' : '';
    return `${this.#version()}${slashes}${path}${query === '' ? '' : `?${query}`}`;
  }

  #version(): string {
    if (this.#random.chance(0.4)) return '';
    if (this.#rarely(30)) return this.#oneOf(['/v9.99', '/v1.0', '/v', '/v1', '/v1.41.1', '/v00001.00041', '/v1e9']);
    return `/v1.${this.#random.between(24, 51)}`;
  }

  #pathSegment(): string {
    if (this.#random.chance(0.7)) return encodeURIComponent(this.#oneOf(this.#references));
    return this.#oneOf([
      'nope',
      '0'.repeat(64),
      'a',
      '%00',
      '%2F%2e%2e%2F',
      '..',
      '%zz',
      '%ff%fe',
      'x'.repeat(5_000),
      'node-1%2Fweb',
      '%F0%9F%90%B3',
      '__proto__',
      'constructor',
      'sha256:abc',
      '%20',
      '*',
      '[a-z]+(',
    ]);
  }

  #query([, , described]: Operation): string {
    const parameters = described === '' ? [] : described.split(' ');
    const pairs = parameters
      .filter(() => this.#random.chance(0.5))
      .flatMap((parameter) => {
        const at = parameter.lastIndexOf(':');
        return this.#parameter(parameter.slice(0, at), parameter.slice(at + 1));
      });
    if (this.#rarely(15)) pairs.push(this.#parameter('unknown', 's').join('&'));
    if (this.#rarely(60)) pairs.push('&&=&=x&%zz=%zz');
    return pairs.join('&');
  }

  /** Mostly once, sometimes several times. */
  #parameter(name: string, type: string): string[] {
    const times = this.#rarely(15) ? this.#random.between(2, 40) : 1;
    return Array.from({ length: times }, () => {
      const value = this.#rarely(3) ? this.#strangeText() : this.#validValue(name, type);
      return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    });
  }

  #validValue(name: string, type: string): string {
    if (name === 'filters') return JSON.stringify(this.#filters());
    // Waiting for seconds is what such a parameter asks for.
    if (name === 't' && type === 'i') return '0';
    if (name === 'stream' || name === 'follow') return '0';
    if (name === 'until' || name === 'since') return String(this.#random.between(0, 2_000_000_000));
    if (type === 'i') return String(this.#random.between(0, 100));
    if (type === 'b') return this.#oneOf(['0', '1', 'true', 'false']);
    if (name === 'path') return '/etc';
    return this.#oneOf(this.#references);
  }

  #filters(): Json {
    const key = this.#oneOf([
      'name',
      'id',
      'label',
      'status',
      'before',
      'node',
      'until',
      'dangling',
      'type',
      'nonsense',
    ]);
    const value = this.#rarely(3) ? this.#strangeText() : this.#oneOf(this.#references);
    return this.#oneOf<Json>([{ [key]: [value] }, { [key]: { [value]: true } }, this.#strangeValue(2), {}]);
  }

  #headers(): string[] {
    return [
      ...(this.#rarely(15) ? [] : ['Content-Type: application/json']),
      ...(this.#rarely(40) ? ['Content-Type: text/plain', 'Content-Type: application/x-tar'] : []),
      ...(this.#rarely(30) ? [`X-Registry-Auth: ${this.#headerText()}`] : []),
      ...(this.#rarely(100) ? [`X-Registry-Config: ${'A'.repeat(this.#random.between(1_000, 900_000))}`] : []),
      ...(this.#rarely(40)
        ? Array.from({ length: this.#random.between(2, 300) }, (_, at) => `X-Meta-${at % 7}: v`)
        : []),
      ...(this.#rarely(40)
        ? [this.#oneOf(['Expect: 100-continue', 'Upgrade: tcp', 'Upgrade: h2c', 'TE: trailers'])]
        : []),
      ...(this.#rarely(60) ? [`X-Strange: ${this.#headerText()}`] : []),
    ];
  }

  #headerText(): string {
    return this.#oneOf([
      '',
      '{}',
      'e30=',
      'bm90IGpzb24=',
      '\u00e9\u00ff',
      'null',
      'a\tb',
      '"'.repeat(100),
      '\u0000',
      '\u007f',
    ]);
  }

  #body([method, path]: Operation): Buffer | undefined {
    if (method === 'GET' || method === 'HEAD') return this.#rarely(50) ? Buffer.from('{"unexpected":1}') : undefined;
    const skeleton = skeletons[`${method} ${path}`];
    if (skeleton === undefined)
      return this.#rarely(30) ? Buffer.from(JSON.stringify(this.#strangeValue(3))) : undefined;
    if (this.#rarely(25)) return this.#rawBody();
    const bends = this.#random.between(0, 3);
    let body: Json = skeleton;
    for (let done = 0; done < bends; done += 1) body = this.#bent(body);
    return Buffer.from(JSON.stringify(body));
  }

  #rawBody(): Buffer {
    return this.#oneOf([
      Buffer.alloc(0),
      Buffer.from('{'),
      Buffer.from('null'),
      Buffer.from('[]'),
      Buffer.from('{"Image":"busybox"}{"Image":"busybox"}'),
      Buffer.from('{"Image":"busybox","Image":5}'),
      Buffer.from('\ufeff{"Image":"busybox"}'),
      Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from('{"Image":"\\ud800"}'),
      Buffer.from(`${'{"HostConfig":'.repeat(900)}1${'}'.repeat(900)}`),
      Buffer.from('['.repeat(20_000)),
      Buffer.from('{"Memory":1e999,"Cpus":-0}'),
      Buffer.alloc(4_096),
    ]);
  }

  /** One place of it is replaced, removed or joined by an unknown member. */
  #bent(value: Json): Json {
    if (Array.isArray(value)) {
      const elements = value as readonly Json[];
      if (elements.length === 0 || this.#rarely(4)) return [...elements, this.#strangeValue(3)];
      const at = this.#random.between(0, elements.length - 1);
      return elements.map((element, index) => (index === at ? this.#bent(element) : element));
    }
    if (typeof value !== 'object' || value === null) return this.#strangeValue(3);
    const members = Object.entries(value);
    if (members.length === 0 || this.#rarely(5)) {
      return Object.fromEntries([...members, [this.#strangeText().slice(0, 200), this.#strangeValue(3)]]);
    }
    const at = this.#random.between(0, members.length - 1);
    if (this.#rarely(6)) return Object.fromEntries(members.filter((_, index) => index !== at));
    return Object.fromEntries(
      members.map(([name, member], index) => {
        if (index !== at) return [name, member];
        const spelled = this.#rarely(10) ? name.toLowerCase() : name;
        return [spelled, this.#random.chance(0.5) ? this.#bent(member) : this.#strangeValue(3)];
      }),
    );
  }

  #strangeValue(depth: number): Json {
    if (depth > 0 && this.#rarely(4)) return [this.#strangeValue(depth - 1), this.#strangeValue(depth - 1)];
    if (depth > 0 && this.#rarely(4)) return { [this.#strangeText().slice(0, 200)]: this.#strangeValue(depth - 1) };
    return this.#oneOf<Json>([
      null,
      true,
      false,
      0,
      -1,
      1.5,
      2 ** 53,
      -(2 ** 63),
      1e308,
      '',
      [],
      {},
      this.#strangeText(),
      this.#oneOf(this.#references),
    ]);
  }

  #strangeText(): string {
    return this.#oneOf([
      '',
      ' ',
      'null',
      '-1',
      '1e9',
      'NaN',
      '99999999999999999999',
      '10m',
      '\u0000',
      'a\u0000b',
      'a\r\nX-Injected: 1',
      '../../etc/passwd',
      '__proto__',
      'constructor',
      'toString',
      '\u{1F433}',
      '\u202e',
      'constraint:node==',
      'affinity:image!=~/((((/',
      'constraint:node==/(a+)+$/',
      '{"a":',
      '[[[[',
      '{"a":{"b":{"c":[]}}}',
      'a=b=c',
      '=',
      '65536',
      '80/tcp/udp',
      'x'.repeat(this.#random.between(100, 8_000)),
    ]);
  }

  #rarely(oneIn: number): boolean {
    return this.#random.chance(1 / oneIn);
  }

  #oneOf<T>(values: readonly T[]): T {
    return values[this.#random.between(0, values.length - 1)]!;
  }
}

const container: Json = {
  Image: 'busybox',
  Cmd: ['sleep', '1'],
  Env: ['A=b', 'constraint:node==node-*'],
  Labels: { a: 'b', 'com.docker.swarm.constraints': '["node==*"]' },
  ExposedPorts: { '80/tcp': {} },
  HostConfig: {
    Memory: 4_194_304,
    CpuShares: 1,
    NetworkMode: 'bridge',
    Binds: ['vol:/data'],
    Mounts: [{ Type: 'volume', Source: 'vol', Target: '/mnt', VolumeOptions: { Labels: {} } }],
    PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '0' }] },
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    VolumesFrom: ['web'],
    Links: ['web:alias'],
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }],
  },
  NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ['x'], IPAMConfig: { IPv4Address: '10.0.0.9' } } } },
};

/** A valid body by operation, for those that read one as JSON. */
const skeletons: Readonly<Record<string, Json>> = {
  'POST /auth': { username: 'u', password: 'p', serveraddress: 'registry.example' },
  'POST /commit': { Cmd: ['sh'], Labels: {} },
  'POST /containers/create': container,
  'POST /containers/{id}/update': { Memory: 4_194_304, RestartPolicy: { Name: 'always' } },
  'POST /containers/{id}/exec': { Cmd: ['true'], AttachStdout: true, Tty: false, Env: ['A=b'] },
  'POST /exec/{id}/start': { Detach: false, Tty: false, ConsoleSize: [24, 80] },
  'POST /networks/create': {
    Name: 'made',
    Driver: 'bridge',
    CheckDuplicate: true,
    IPAM: { Config: [{ Subnet: '10.9.0.0/16' }] },
    Options: {},
    Labels: {},
  },
  'POST /networks/{id}/connect': { Container: 'web', EndpointConfig: { Aliases: ['y'], DriverOpts: {} } },
  'POST /networks/{id}/disconnect': { Container: 'web', Force: true },
  'POST /nodes/{id}/update': { Availability: 'drain', Role: 'worker', Labels: {} },
  'POST /plugins/pull': [{ Name: 'network', Description: '', Value: ['host'] }],
  'POST /plugins/{name}/set': ['DEBUG=1'],
  'POST /plugins/{name}/upgrade': [{ Name: 'network', Description: '', Value: ['host'] }],
  'POST /services/create': { Name: 's', TaskTemplate: { ContainerSpec: { Image: 'busybox' } } },
  'POST /swarm/init': { ListenAddr: '0.0.0.0:2377' },
  'POST /swarm/join': { RemoteAddrs: ['x:2377'], JoinToken: 't' },
  'POST /volumes/create': { Name: 'made', Driver: 'local', DriverOpts: {}, Labels: { a: 'b' } },
  'PUT /volumes/{name}': { Spec: { Availability: 'active' } },
};
