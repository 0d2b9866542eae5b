import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { before, describe, it } from 'mocha';
import { issue, makeAuthority, validFor, type CertifiedKey } from '../../../../src/certificates/issue.ts';

describe('certificates for development', () => {
  let authority: CertifiedKey;

  before(async () => {
    authority = await makeAuthority({ name: 'Ann, Bob = Co' }, validFor(10));
  });

  async function issued(alternativeNames: readonly string[], days = 1): Promise<X509Certificate> {
    const uses = ['server', 'client'] as const;
    const subject = { name: 'node, "1"', units: ['a', 'b+c'] };
    const { cert, key } = await issue(authority, { subject, validity: validFor(days), alternativeNames, uses });
    const certificate = new X509Certificate(cert);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    return certificate;
  }

  it('come from an authority that signs itself', () => {
    const certificate = new X509Certificate(authority.cert);
    assert.ok(certificate.ca);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.toLegacyObject().subject.CN, 'Ann, Bob = Co');
  });

  it('are signed by the authority for the names and uses that were asked for', async () => {
    const certificate = await issued(['10.0.0.1', 'fe80::1', 'manager.example']);
    const parent = new X509Certificate(authority.cert);
    assert.ok(certificate.checkIssued(parent));
    assert.ok(certificate.verify(parent.publicKey));
    assert.equal(certificate.ca, false);
    const { subject } = certificate.toLegacyObject();
    assert.deepEqual([subject.CN, subject.OU], ['node, "1"', ['a', 'b+c']]);
    assert.equal(certificate.checkIP('10.0.0.1'), '10.0.0.1');
    assert.equal(certificate.checkIP('fe80::1'), 'fe80::1');
    assert.equal(certificate.checkHost('manager.example'), 'manager.example');
    assert.equal(certificate.checkIP('10.0.0.2'), undefined);
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('end with their authority at the latest', async () => {
    const certificate = await issued([], 1_000);
    assert.equal(certificate.validTo, new X509Certificate(authority.cert).validTo);
  });

  it('hold from a few minutes ago', () => {
    const now = new Date('2026-01-02T00:00:00Z');
    const { notBefore, notAfter } = validFor(2, now);
    assert.deepEqual(
      [notBefore.toISOString(), notAfter.toISOString()],
      ['2026-01-01T23:55:00.000Z', '2026-01-04T00:00:00.000Z'],
    );
  });

  it('are not made with the key of another authority', async () => {
    const other = await makeAuthority({ name: 'other' }, validFor(1));
    const order = { subject: { name: 'x' }, validity: validFor(1), alternativeNames: [], uses: ['client'] as const };
    await assert.rejects(issue({ cert: authority.cert, key: other.key }, order), /not that of its certificate/);
  });
});
