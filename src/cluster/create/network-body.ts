// Which networks may span nodes, and how the body of a network that a client asks for is worded so that it does, or
// does not. What only a bridge can do stays a bridge.
import { goMember, mapMember, textMapMember, textMember, withGoMember } from '../../docker/go-member.ts';
import { isBuiltinNetwork } from '../../docker/predefined-networks.ts';
import type { WireObject } from '../../docker/types.ts';
import { askedDriverLabel, projectLabel } from '../swarm-labels.ts';

const bridgeOptions = 'com.docker.network.bridge.';

/** The stock client always says `bridge`, so it means no more than no driver at all. */
export function maySpanNodes(body: WireObject): boolean {
  const driver = textMember(body, 'Driver');
  if (isBuiltinNetwork(textMember(body, 'Name')) || !['', 'bridge', 'overlay'].includes(driver)) return false;
  if (!['', driver === 'overlay' ? 'swarm' : ''].includes(textMember(body, 'Scope'))) return false;
  if (goMember(body, 'ConfigOnly') === true || goMember(body, 'Ingress') === true) return false;
  if (textMember(goMember(body, 'ConfigFrom'), 'Network') !== '') return false;
  return !Object.keys(mapMember(body, 'Options')).some((option) => option.startsWith(bridgeOptions));
}

/** A network of the swarm that plain containers may join. */
export function asOverlay(body: WireObject): WireObject {
  return withGoMember(withDriver(body, 'overlay'), 'Attachable', true);
}

/** A network of one node. */
export function asBridge(body: WireObject): WireObject {
  const driver = textMember(body, 'Driver');
  return driver === 'overlay' ? withGoMember(withDriver(body, 'bridge'), 'Scope', '') : body;
}

/** Compose v1 refuses a network with another driver than its file names, so that one is kept. */
function withDriver(body: WireObject, driver: string): WireObject {
  const asked = textMember(body, 'Driver');
  const changed = withGoMember(body, 'Driver', driver);
  const labels = textMapMember(body, 'Labels');
  if (asked === '' || asked === driver || labels[projectLabel] === undefined) return changed;
  return withGoMember(changed, 'Labels', { ...labels, [askedDriverLabel]: asked });
}
