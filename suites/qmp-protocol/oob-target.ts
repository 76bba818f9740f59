/** How a target comes to offer out-of-band execution: an option of the monitor, or by itself (QMP-GREET-05, QMP-D-01). */
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Instance } from '../../targets/target.js';
import type { Needs } from '../requirement.js';

/** Capabilities that the plain monitor's greeting offers. */
export function offered(facts: TargetFacts): readonly string[] {
  const qmp = isObject(facts.greeting.QMP) ? facts.greeting.QMP : {};
  return Array.isArray(qmp.capabilities) ? qmp.capabilities.map(String) : [];
}

/** Every monitor offers it. A release between the known ones shows that by its greeting. */
export const offeredByAll = (facts: TargetFacts): boolean =>
  facts.dialect.protocol.oobOffer === 'always' || (facts.dialectNote !== undefined && offered(facts).includes('oob'));

/** An instance whose monitors offer `oob`. Where every monitor does and one is enough, it is the plain one. */
export function oobInstance(t: Trial, monitors = 1): Promise<Instance> {
  const oob = !offeredByAll(t.facts);
  if (!oob && monitors === 1) return t.instance();
  return t.start({ monitors: Array.from({ length: monitors }, () => ({ transport: 'unix' as const, oob })) });
}

/** What a requirement on `oob` needs of its target. */
export const oobNeeds: Needs = {
  unless: (facts) => (!offeredByAll(facts) || offered(facts).includes('oob') ? undefined : 'oob is not offered'),
};
