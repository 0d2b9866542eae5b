// Ends a synchronous function that does not return, an endless loop too. Node can do that only to a script, so the
// function is called by one. It costs some 50 microseconds, which is why nothing but foreign code is run so.
import { Script } from 'node:vm';
import { errorCode } from '../../common/errors.ts';

const slot = Symbol.for('shoal.within-time-limit');
const script = new Script('globalThis[Symbol.for("shoal.within-time-limit")]()');

/** What `work` returns or throws; an Error when it takes longer than `limitMs`. Not to be nested. */
export function withinTimeLimit<T>(work: () => T, limitMs: number): T {
  let returned: { readonly value: T } | undefined;
  Reflect.set(globalThis, slot, () => {
    returned = { value: work() };
  });
  try {
    script.runInThisContext({ timeout: limitMs });
  } catch (error) {
    if (errorCode(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Error(`it did not return within ${limitMs} ms`, { cause: error });
  } finally {
    Reflect.deleteProperty(globalThis, slot);
  }
  if (returned === undefined) throw new Error('it was not called');
  return returned.value;
}
