import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { translateInspect } from '../../../../../src/docker/translation/translate-inspect.ts';
import type { WireObject } from '../../../../../src/docker/types.ts';

const container: WireObject = {
  Id: 'abcdef012345'.padEnd(64, '0'),
  Config: { Hostname: 'web' },
  NetworkSettings: {
    SandboxID: 's',
    Networks: {
      bridge: {
        IPAddress: '172.17.0.2',
        IPPrefixLen: 16,
        Gateway: '172.17.0.1',
        MacAddress: '02:42:ac:11:00:02',
        Aliases: null,
      },
      net: { Aliases: ['api', 'web'] },
    },
  },
};

function inspected(version: string, min: string, max: string): WireObject {
  return translateInspect(container, version, { min, max });
}

function settings(view: WireObject): WireObject {
  return view['NetworkSettings'] as WireObject;
}

describe('the inspect of a container for an older client', () => {
  it('has its short id and host name among the aliases, before 1.45', () => {
    const networks = settings(inspected('1.44', '1.45', '1.51'))['Networks'] as Record<string, WireObject>;

    assert.deepEqual(networks['net']?.['Aliases'], ['api', 'web', 'abcdef012345']);
    assert.equal(networks['bridge']?.['Aliases'], null);
  });

  it('has the addresses on the default bridge beside the networks, before 1.52', () => {
    const { IPAddress, IPPrefixLen, Gateway, MacAddress, SandboxID } = settings(inspected('1.51', '1.52', '1.54'));

    assert.deepEqual(
      { IPAddress, IPPrefixLen, Gateway, MacAddress, SandboxID },
      {
        IPAddress: '172.17.0.2',
        IPPrefixLen: 16,
        Gateway: '172.17.0.1',
        MacAddress: '02:42:ac:11:00:02',
        SandboxID: 's',
      },
    );
  });

  it("is the engine's own where the engine speaks the client's version", () => {
    assert.equal(inspected('1.44', '1.24', '1.51'), container);
    assert.equal(inspected('1.24', '1.24', '1.54'), container);
  });

  it("is the engine's own for a client that is newer", () => {
    assert.equal(inspected('1.51', '1.24', '1.41'), container);
  });

  it('may lack networks', () => {
    const bare = { Id: 'a', Config: null };
    assert.equal(translateInspect(bare, '1.24', { min: '1.52', max: '1.54' }), bare);
  });
});
