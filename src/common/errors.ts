// The one error that carries an HTTP status. Everything a client may see as an answer is thrown as an
// ApiError; any other error is a defect or an outage and is answered with 500.
import { tlsRefusal } from './tls-refusal.ts';

/** An error that is answered to the client with `status` and `{"message": message}`. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.status = status;
  }
}

export function badRequest(message: string, options?: ErrorOptions): ApiError {
  return new ApiError(400, message, options);
}

/** `kind` as Docker writes it in its messages: "No such container: x". */
export function notFound(kind: string, reference: string): ApiError {
  return new ApiError(404, `No such ${kind}: ${reference}`);
}

export function conflict(message: string): ApiError {
  return new ApiError(409, message);
}

export function notImplemented(message: string): ApiError {
  return new ApiError(501, message);
}

/** The engine that owns the object cannot be asked; `engineName` is named so that the operator knows where to look. */
export function unavailable(engineName: string, cause?: unknown): ApiError {
  const reason = cause === undefined ? '' : `: ${errorMessage(cause)}`;
  return new ApiError(503, `Node ${engineName} cannot be reached${reason}`, { cause });
}

/** The text of anything that was thrown; in words where TLS did not come about. */
export function errorMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorMessage).join('; ');
  if (!(error instanceof Error)) return String(error);
  const refusal = tlsRefusal(errorCode(error), error.message);
  return refusal === undefined ? error.message : `${refusal.reason} (${refusal.code})`;
}

/** The `code` of a system error such as ECONNREFUSED; undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
