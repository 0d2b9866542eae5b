// Certificates for a test, made as `shoal ca` makes them. An identity is a folder with ca.pem, cert.pem and key.pem,
// which is what DOCKER_CERT_PATH names. All of it goes with the test's own folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityFiles, writeNewFiles } from '../../../src/certificates/files.ts';
import { issue, makeAuthority, validFor, type CertifiedKey, type Order } from '../../../src/certificates/issue.ts';

/** Paths of PEM files. */
export interface Identity {
  readonly directory: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface PemTexts {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export function readIdentity({ ca, cert, key }: Identity): PemTexts {
  return { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
}

export interface IdentityOptions {
  /** IP addresses that a server's certificate must name. */
  readonly addresses?: readonly string[];
  /** Organisational units. */
  readonly units?: readonly string[];
  readonly validity?: 'now' | 'expired' | 'not yet';
  /** For servers and clients alike by default. */
  readonly uses?: Order['uses'];
}

const day = 86_400_000;

export class CertificateAuthority {
  readonly #directory: string;
  readonly #authority: CertifiedKey;

  /** `directory` is where its identities go. */
  static async create(directory: string, name: string): Promise<CertificateAuthority> {
    return new CertificateAuthority(directory, await makeAuthority({ name }, validFor(2)));
  }

  /** One that `certified`, which is no authority, makes itself to. */
  static pretending(certified: CertifiedKey): CertificateAuthority {
    return new CertificateAuthority('unused', certified);
  }

  private constructor(directory: string, authority: CertifiedKey) {
    this.#directory = directory;
    this.#authority = authority;
  }

  /** The certificate of the authority itself. */
  get cert(): string {
    return this.#authority.cert;
  }

  get key(): string {
    return this.#authority.key;
  }

  async issue(name: string, options: IdentityOptions = {}): Promise<Identity> {
    const directory = join(this.#directory, name);
    await writeNewFiles(directory, identityFiles(directory, await this.sign(name, options), this.cert));
    return {
      directory,
      ca: join(directory, 'ca.pem'),
      cert: join(directory, 'cert.pem'),
      key: join(directory, 'key.pem'),
    };
  }

  /** As `issue`, without files. */
  async sign(
    name: string,
    { addresses = [], units = [], validity = 'now', uses = ['server', 'client'] }: IdentityOptions = {},
  ): Promise<CertifiedKey> {
    const offset = { now: 0, expired: -10 * day, 'not yet': 10 * day }[validity];
    return await issue(this.#authority, {
      subject: { name, units },
      validity: validFor(1, new Date(Date.now() + offset)),
      alternativeNames: ['localhost', ...addresses],
      uses,
    });
  }
}
