import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { assertCreateBodyTypes } from '../../../../src/api/create-body-types.ts';

const check = (body: unknown): void => {
  assertCreateBodyTypes(body);
};

describe('types of a create body', () => {
  const accepted: readonly unknown[] = [
    { Image: 'busybox' },
    { Image: 'busybox', Env: null, Labels: null, HostConfig: null, NetworkingConfig: null },
    { Image: 'b', Env: ['a=b', null], Labels: { a: 'b', c: null }, ExposedPorts: { '80/tcp': {} } },
    { HostConfig: { Binds: ['a:/b'], Mounts: [{ Type: 'volume', Source: 'v', Target: '/v' }], Memory: 5 } },
    { Cmd: 'anything', Unknown: { deep: [1, 2] }, HostConfig: { Unknown: 1 } },
    { constructor: 5, HostConfig: { toString: true } },
  ];
  for (const body of accepted) {
    it(`accepts ${JSON.stringify(body)}`, () => {
      assert.doesNotThrow(() => {
        check(body);
      });
    });
  }

  const field = 'Go struct field ';
  const refused: readonly (readonly [body: unknown, words: string])[] = [
    [[], 'array into Go value of type container.CreateRequest'],
    ['text', 'string into Go value of type container.CreateRequest'],
    [{ Image: 5 }, `number into ${field}.Image of type string`],
    [{ image: [] }, `array into ${field}.Image of type string`],
    [{ Env: 'a=b' }, `string into ${field}.Env of type []string`],
    [{ Env: ['a', 1] }, 'number into .Env.1 of type string'],
    [{ Labels: ['a'] }, `array into ${field}.Labels of type map[string]string`],
    [{ Labels: { a: 1 } }, `number into ${field}.Labels.a of type string`],
    [{ Tty: 'yes' }, `string into ${field}.Tty of type bool`],
    [{ ExposedPorts: [] }, `array into ${field}.ExposedPorts of type nat.PortSet`],
    [{ HostConfig: 7 }, `number into ${field}.HostConfig of type container.HostConfig`],
    [{ HostConfig: { Memory: '1g' } }, `string into ${field}.HostConfig.Memory of type int64`],
    [{ HostConfig: { NanoCpus: 1.5 } }, `number 1.5 into ${field}.HostConfig.NanoCpus of type int64`],
    [{ HostConfig: { Binds: [7] } }, 'number into .HostConfig.Binds.0 of type string'],
    [{ HostConfig: { PortBindings: [] } }, `array into ${field}.HostConfig.PortBindings of type nat.PortMap`],
    [{ HostConfig: { Mounts: {} } }, `object into ${field}.HostConfig.Mounts of type []mount.Mount`],
    [{ HostConfig: { Mounts: ['v'] } }, 'string into .HostConfig.Mounts.0 of type mount.Mount'],
    [{ HostConfig: { Mounts: [{ Source: 1 }] } }, `number into ${field}.HostConfig.Mounts.0.Source of type string`],
    [
      { NetworkingConfig: { EndpointsConfig: [] } },
      `array into ${field}.NetworkingConfig.EndpointsConfig of type map[string]*network.EndpointSettings`,
    ],
  ];
  for (const [body, words] of refused) {
    it(`refuses ${JSON.stringify(body)}`, () => {
      assert.throws(
        () => {
          check(body);
        },
        { status: 400, message: `invalid JSON: json: cannot unmarshal ${words}` },
      );
    });
  }
});
