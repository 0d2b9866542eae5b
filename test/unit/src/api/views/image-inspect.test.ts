import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { imageInspectFor } from '../../../../../src/api/views/image-inspect.ts';

const image = { Id: 'sha256:1', Size: 7, Config: { Cmd: ['sh'] } };
const legacyConfig = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
  Cmd: ['sh'],
};

describe('imageInspectFor', () => {
  for (const [version, engineVersion, added] of [
    ['1.43', '1.44', { VirtualSize: 7 }],
    ['1.44', '1.45', { Container: '', ContainerConfig: image.Config }],
    ['1.49', '1.50', { Config: legacyConfig }],
    ['1.30', '1.51', { VirtualSize: 7, Container: '', ContainerConfig: legacyConfig, Config: legacyConfig }],
    ['1.30', '1.30', {}],
    ['1.51', '1.51', {}],
  ] as const) {
    it(`adds ${Object.keys(added).join(', ') || 'nothing'} for ${version} to what an engine says at ${engineVersion}`, () => {
      assert.deepEqual(imageInspectFor({ version, userAgent: undefined, engineVersion }, image), {
        ...image,
        ...added,
      });
    });
  }

  it('keeps what the engine says by itself', () => {
    const told = { ...image, VirtualSize: 9 };
    assert.equal(
      imageInspectFor({ version: '1.30', userAgent: undefined, engineVersion: '1.44' }, told)['VirtualSize'],
      9,
    );
  });

  for (const [userAgent, version, isTold] of [
    ['docker-compose/1.29.2 docker-py/5.0.3', '1.51', true],
    ['compose/2.40.3', '1.51', false],
    [undefined, '1.51', false],
  ] as const) {
    it(`${isTold ? 'has' : 'has no'} ContainerConfig for ${userAgent ?? 'a client without a name'} at ${version}`, () => {
      const told = imageInspectFor({ version, userAgent, engineVersion: '1.51' }, image);
      assert.equal('ContainerConfig' in told, isTold);
      assert.equal('VirtualSize' in told, false);
    });
  }
});
