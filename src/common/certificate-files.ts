// A certificate with its key and the authority that others are measured by, as files that may be renewed at any time.
// What is new is used only when all of it belongs together; until then, and when it never does, the old stays.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { errorMessage } from './errors.ts';
import { followFiles } from './followed-files.ts';
import type { Logger } from './logger.ts';

export interface CertificatePaths {
  readonly ca: string | undefined;
  readonly cert: string;
  readonly key: string;
}

/** PEM texts. */
export interface Certificates {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer;
  readonly key: Buffer;
}

const soonMs = 14 * 86_400_000;

export class CertificateFiles {
  readonly #paths: CertificatePaths;
  readonly #logger: Logger;
  #current: Certificates;

  /** Throws when a file cannot be read, or they do not belong together. */
  constructor(paths: CertificatePaths, logger: Logger) {
    this.#paths = paths;
    this.#logger = logger;
    this.#current = readCertificates(paths);
  }

  get current(): Certificates {
    return this.#current;
  }

  /** What an operator should know: that the certificate does not hold, or not for long. */
  warnings(now: Date = new Date()): readonly string[] {
    const { validFrom, validTo } = new X509Certificate(this.#current.cert);
    const path = this.#paths.cert;
    if (Date.parse(validTo) < now.getTime()) return [`the certificate ${path} has expired on ${validTo}`];
    if (Date.parse(validFrom) > now.getTime()) return [`the certificate ${path} is not valid before ${validFrom}`];
    return Date.parse(validTo) - now.getTime() < soonMs ? [`the certificate ${path} expires on ${validTo}`] : [];
  }

  /** Reads the files again whenever they change, and tells when that brought something new. Ends with `signal`. */
  async follow(onChange: () => void, signal: AbortSignal): Promise<void> {
    const { ca, cert, key } = this.#paths;
    const reload = (): void => {
      if (this.#reload()) onChange();
    };
    await followFiles(ca === undefined ? [cert, key] : [ca, cert, key], reload, signal);
  }

  #reload(): boolean {
    try {
      const found = readCertificates(this.#paths);
      if (isSame(found, this.#current)) return false;
      this.#current = found;
      this.#logger.info('certificates are read again', { certificate: this.#paths.cert });
      return true;
    } catch (error) {
      const facts = { certificate: this.#paths.cert, error: errorMessage(error) };
      this.#logger.warn('new certificates cannot be used, those from before stay', facts);
      return false;
    }
  }
}

/** Throws when one of the files cannot be read, or the key is not that of the certificate. */
export function readCertificates({ ca, cert, key }: CertificatePaths): Certificates {
  const found = {
    ca: ca === undefined ? undefined : readFileSync(ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
  };
  createSecureContext(found);
  // An authority that is no certificate would be passed over in silence, and everybody be refused.
  if (found.ca !== undefined) new X509Certificate(found.ca);
  return found;
}

function isSame(a: Certificates, b: Certificates): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca ?? none).equals(b.ca ?? none);
}

const none = Buffer.alloc(0);
