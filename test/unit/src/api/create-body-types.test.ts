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

  const refused: readonly (readonly [unknown, RegExp])[] = [
    [[], /unmarshal array/],
    ['text', /unmarshal string/],
    [{ Image: 5 }, /unmarshal number into Go struct field CreateRequest\.Image of type string/],
    [{ image: [] }, /CreateRequest\.image of type string/],
    [{ Env: 'a=b' }, /CreateRequest\.Env of type \[\]string/],
    [{ Env: [1] }, /CreateRequest\.Env/],
    [{ Labels: ['a'] }, /CreateRequest\.Labels of type map\[string\]string/],
    [{ Labels: { a: 1 } }, /CreateRequest\.Labels/],
    [{ HostConfig: 'x' }, /CreateRequest\.HostConfig of type object/],
    [{ HostConfig: { Memory: '1g' } }, /CreateRequest\.HostConfig\.Memory of type int64/],
    [{ HostConfig: { NanoCpus: 1.5 } }, /NanoCpus/],
    [{ HostConfig: { PortBindings: [] } }, /PortBindings/],
    [{ HostConfig: { Mounts: ['v'] } }, /Mounts/],
    [{ HostConfig: { Mounts: [{ Source: 1 }] } }, /Mounts\.Source/],
    [{ NetworkingConfig: { EndpointsConfig: [] } }, /EndpointsConfig/],
  ];
  for (const [body, message] of refused) {
    it(`refuses ${JSON.stringify(body)}`, () => {
      assert.throws(
        () => {
          check(body);
        },
        { status: 400, message },
      );
    });
  }
});
