// Certificates for development: an authority, and what it signs. Keys are of the curve P-256, which every TLS library
// takes; everything is PEM text, and nothing is kept here.
import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, webcrypto, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** PEM texts that belong together. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface Subject {
  /** The common name. */
  readonly name: string;
  /** Organisational units. */
  readonly units?: readonly string[];
}

export interface Order {
  readonly subject: Subject;
  readonly validity: Validity;
  /** Addresses and names under which a server is reached. */
  readonly alternativeNames: readonly string[];
  readonly uses: readonly ('server' | 'client')[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** From five minutes ago, because clocks differ, for `days`. */
export function validFor(days: number, now: Date = new Date()): Validity {
  return { notBefore: new Date(now.getTime() - 5 * 60_000), notAfter: new Date(now.getTime() + days * 86_400_000) };
}

/** An authority that signs itself. */
export async function makeAuthority(subject: Subject, validity: Validity): Promise<CertifiedKey> {
  const key = newKey();
  const [publicKey, privateKey] = await Promise.all([importPublic(key.publicKey), importPrivate(key.privateKey)]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: distinguishedName(subject),
    keys: { publicKey, privateKey },
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return toPem(certificate, key.privateKey);
}

/** Throws when `authority` is not a certificate and its own key of the curve P-256. A certificate ends with that of its authority at the latest. */
export async function issue(authority: CertifiedKey, order: Order): Promise<CertifiedKey> {
  const issuer = new X509Certificate(authority.cert);
  const signer = createPrivateKey(authority.key);
  if (!issuer.checkPrivateKey(signer)) throw new Error('the key of the authority is not that of its certificate');
  if (signer.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error('the key of the authority is not one of the curve P-256, as `shoal ca init` makes them');
  const key = newKey();
  const publicKey = await importPublic(key.publicKey);
  const certificate = await x509.X509CertificateGenerator.create({
    notBefore: order.validity.notBefore,
    notAfter: new Date(Math.min(order.validity.notAfter.getTime(), Date.parse(issuer.validTo))),
    subject: distinguishedName(order.subject),
    issuer: new x509.X509Certificate(authority.cert).subjectName,
    publicKey,
    signingKey: await importPrivate(signer),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(order.uses.map((use) => purposes[use])),
      ...alternativeNames(order.alternativeNames),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(new x509.X509Certificate(authority.cert)),
    ],
  });
  return toPem(certificate, key.privateKey);
}

const purposes = {
  server: x509.ExtendedKeyUsage.serverAuth,
  client: x509.ExtendedKeyUsage.clientAuth,
} as const;

/** As typed attributes: in plain ones the library gives quotes and a leading "#" a meaning. */
function distinguishedName({ name, units = [] }: Subject): x509.Name {
  return new x509.Name([...units.map((unit) => ({ OU: [{ utf8String: unit }] })), { CN: [{ utf8String: name }] }]);
}

function alternativeNames(names: readonly string[]): x509.Extension[] {
  if (names.length === 0) return [];
  const entries = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  return [new x509.SubjectAlternativeNameExtension(entries)];
}

function newKey(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), algorithm, true, ['verify']);
}

function importPrivate(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, true, ['sign']);
}

function toPem(certificate: x509.X509Certificate, key: KeyObject): CertifiedKey {
  return { cert: `${certificate.toString('pem')}\n`, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
