// Who calls: the certificate of the connection, and the bearer token of the request, which goes no further than here.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { isManager, tokenNamed, type Caller, type Rules } from '../authorization/rules.ts';
import { ApiError, badRequest } from '../common/errors.ts';
import { goMember, isWireObject, textListMember, textMember } from '../docker/go-member.ts';

/** Takes the token out of the request. Throws ApiError 401 for one that `rules` do not know. */
export function identify(req: IncomingMessage, rules: Rules | undefined): Caller {
  const address = req.socket.remoteAddress;
  const certificate = certificateOf(req);
  const token = rules === undefined ? undefined : takeToken(req, rules);
  const own = { address, ...(certificate && { certificate }), ...(token !== undefined && { token }) };
  const stated = takeHeader(req, callerHeader);
  return stated !== undefined && rules !== undefined && isManager(rules, own) ? parseCaller(stated) : own;
}

/** Tells the manager that a call is passed on to who calls. It believes its fellows alone. */
export function stateCaller(caller: Caller): Readonly<Record<string, string>> {
  return { [callerHeader]: Buffer.from(JSON.stringify(caller)).toString('base64url') };
}

const callerHeader = 'X-Shoal-Caller';

/** Of a fellow manager. Throws ApiError 400 for what no manager writes. */
function parseCaller(text: string): Caller {
  try {
    const stated: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const certificate = goMember(stated, 'certificate');
    const [token, address] = [textMember(stated, 'token'), textMember(stated, 'address')];
    return {
      address: address === '' ? undefined : address,
      ...(token !== '' && { token }),
      ...(isWireObject(certificate) && {
        certificate: {
          name: textMember(certificate, 'name'),
          units: textListMember(certificate, 'units'),
          serial: textMember(certificate, 'serial'),
          fingerprint: textMember(certificate, 'fingerprint'),
        },
      }),
    };
  } catch (error) {
    throw badRequest(`invalid header ${callerHeader}`, { cause: error });
  }
}

function certificateOf({ socket }: IncomingMessage): Caller['certificate'] {
  const shown = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (shown === undefined) return undefined;
  const { CN, OU } = shown.toLegacyObject().subject as Readonly<Record<string, string | string[] | undefined>>;
  return {
    // Of several names the last one, the most particular, is meant.
    name: [CN ?? ''].flat().at(-1) ?? '',
    units: [OU ?? []].flat(),
    serial: shown.serialNumber.toUpperCase(),
    fingerprint: shown.fingerprint256.replaceAll(':', ''),
  };
}

function takeToken(req: IncomingMessage, rules: Rules): string | undefined {
  const token = /^Bearer +([^ ]+) *$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  takeHeader(req, 'Authorization');
  const name = tokenNamed(rules, createHash('sha256').update(token).digest());
  if (name === undefined) throw new ApiError(401, 'the bearer token is none of those in the rules');
  return name;
}

/** The value, which the request then has no more. */
function takeHeader(req: IncomingMessage, name: string): string | undefined {
  const folded = name.toLowerCase();
  const value = req.headers[folded];
  if (value === undefined) return undefined;
  req.headers = Object.fromEntries(Object.entries(req.headers).filter(([key]) => key !== folded));
  req.rawHeaders = req.rawHeaders.filter((_, index, all) => all[index - (index % 2)]?.toLowerCase() !== folded);
  return typeof value === 'string' ? value : value.join();
}
