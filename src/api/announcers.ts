// Who may announce engines to a manager that is their registry. Agents are no users: no rule for calls is about them.
import type { IncomingMessage } from 'node:http';
import { describeCaller, isAgent, revocationOf, type Rules } from '../authorization/rules.ts';
import { ApiError } from '../common/errors.ts';
import { identify } from './caller.ts';

/** Throws ApiError 403 for a call of the registry that `rules` do not let its caller make, 401 for a token that nobody knows. */
export function assertMayAnnounce(rules: Rules, req: IncomingMessage): void {
  const caller = identify(req, rules);
  const isAllowed = req.method === 'GET' ? revocationOf(rules, caller) === undefined : isAgent(rules, caller);
  if (!isAllowed) throw new ApiError(403, `access denied: ${describeCaller(caller)} is no agent`);
}
