// A call that the engine did not answer. It is the 503 that clients see; whoever may try another engine asks
// whether the request can have been taken.
import { ApiError, errorCode, errorMessage } from '../common/errors.ts';
import { DeadlineExceeded } from '../common/deadline.ts';

/** not-sent: no connection came about; cut: the connection broke after that; timeout: silence; aborted: the caller left. */
export type UnreachableKind = 'not-sent' | 'cut' | 'timeout' | 'aborted';

/** The engine may have done the work unless `kind` is 'not-sent'. */
export class EngineUnreachable extends ApiError {
  readonly kind: UnreachableKind;

  constructor(engineName: string, kind: UnreachableKind, cause: unknown) {
    super(503, `Node ${engineName} cannot be reached: ${errorMessage(cause)}`, { cause });
    this.name = 'EngineUnreachable';
    this.kind = kind;
  }
}

/** What kind of failure `error`, thrown by a socket or by a deadline, is; `signal` is that of the call's end. */
export function unreachableKind(error: unknown, signal?: AbortSignal): UnreachableKind {
  if (error instanceof DeadlineExceeded || signal?.reason instanceof DeadlineExceeded) return 'timeout';
  if (signal?.aborted === true) return 'aborted';
  return isConnectFailure(error) ? 'not-sent' : 'cut';
}

function isConnectFailure(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectFailure);
  const syscall: unknown = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true;
  return tlsRefusals.test(errorCode(error) ?? '');
}

/** Codes of a handshake that failed, before any request was written. */
const tlsRefusals = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$)/;
