// What happens to a create body when nobody translates it: nothing, besides the version that the engine speaks.
import type { TranslateCreate } from './calls.ts';
import { effectiveVersion } from './effective-version.ts';

export const passThrough: TranslateCreate = (body, engine, call) => ({
  body,
  version: effectiveVersion(call.version, engine),
  followUps: [],
  warnings: [],
});
