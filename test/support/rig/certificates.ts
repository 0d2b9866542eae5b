// Certificates for a test: an authority and the identities that it signs, made by openssl. An identity is a folder
// with ca.pem, cert.pem and key.pem, which is what DOCKER_CERT_PATH names. All of it goes with the test's own folder.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runOrThrow } from './command.ts';

/** Paths of PEM files. */
export interface Identity {
  readonly directory: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface IdentityOptions {
  /** IP addresses that a server's certificate must name. */
  readonly addresses?: readonly string[];
  readonly isExpired?: true;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class CertificateAuthority {
  readonly #directory: string;
  readonly #name: string;

  /** `directory` must not be used by another authority. */
  static async create(directory: string, name: string): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(directory, name);
    mkdirSync(directory, { recursive: true });
    const files = ['-keyout', authority.#key, '-out', authority.#cert];
    await runOrThrow('openssl', ['req', '-x509', ...newKey, ...files, '-days', '2', '-subj', `/CN=${name}`]);
    return authority;
  }

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  /** For servers and clients alike. */
  async issue(name: string, { addresses = [], isExpired }: IdentityOptions = {}): Promise<Identity> {
    const directory = `${this.#directory}/${name}`;
    mkdirSync(directory, { recursive: true });
    const identity = {
      directory,
      ca: `${directory}/ca.pem`,
      cert: `${directory}/cert.pem`,
      key: `${directory}/key.pem`,
    };
    const request = `${directory}/request.pem`;
    const extensions = `${directory}/extensions.txt`;
    const names = ['DNS:localhost', ...addresses.map((address) => `IP:${address}`)];
    writeFileSync(extensions, `extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${names.join(',')}\n`);
    const subject = ['-subj', `/O=${this.#name}/CN=${name}`];
    await runOrThrow('openssl', ['req', '-new', ...newKey, '-keyout', identity.key, '-out', request, ...subject]);
    const authority = ['-CA', this.#cert, '-CAkey', this.#key, '-CAcreateserial'];
    const validity = ['-days', isExpired ? '-1' : '2', '-extfile', extensions];
    await runOrThrow('openssl', ['x509', '-req', '-in', request, ...authority, ...validity, '-out', identity.cert]);
    writeFileSync(identity.ca, readFileSync(this.#cert));
    return identity;
  }

  get #cert(): string {
    return `${this.#directory}/authority.pem`;
  }

  get #key(): string {
    return `${this.#directory}/authority-key.pem`;
  }
}
