// What happens to a create body when nobody translates it: nothing, besides the version that the engine speaks.
import { effectiveVersion } from '../../docker/api-version.ts';
import type { TranslateCreate } from '../calls.ts';

export const passThrough: TranslateCreate = (body, engine, call) => ({
  body,
  version: effectiveVersion(call.version, engine.apiVersion),
  followUps: [],
  warnings: [],
});
