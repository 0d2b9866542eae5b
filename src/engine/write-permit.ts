// Whether this manager may still change engines. Of several managers only one may; it loses the right by the clock, so
// it is asked right before bytes are sent, when nothing can come in between any more.

/** Throws the ApiError that the client gets when nothing may be changed any more. */
export type AssertMayWrite = () => void;

/** What a request may change is not in its path: everything but a read is a change. */
export function isChange(method: string | undefined): boolean {
  return method !== 'GET' && method !== 'HEAD';
}
