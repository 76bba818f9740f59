/** Whether a requirement concerns a target, decided from what the target says of itself. */
import { hasDefect } from '../oracle/release.js';
import { isObject } from '../protocol/json.js';
import type { TargetFacts } from '../targets/facts.js';
import { usualPageSize } from '../targets/page-size.js';
import type { Target } from '../targets/target.js';
import type { Needs, Requirement } from './requirement.js';

/** Why the requirement does not apply, in words; `undefined` when it does. */
export function notApplicable(requirement: Requirement, target: Target, facts: TargetFacts): string | undefined {
  const needs: Needs = requirement.needs ?? {};
  for (const ability of needs.abilities ?? []) {
    const why = target.lacks(ability);
    if (why !== undefined) return why;
  }
  for (const command of needs.commands ?? []) {
    const known = facts.commands?.has(command) ?? facts.schema.commands.has(command);
    if (!known) return `no command ${command}`;
  }
  for (const path of needs.members ?? []) {
    const [command = '', member = ''] = path.split('.');
    const definition = facts.schema.commands.get(command);
    if (!facts.schema.membersOf(definition?.arguments).some((one) => one.name === member)) {
      return `no argument ${member} of ${command}`;
    }
  }
  for (const capability of needs.capabilities ?? []) {
    if (!capabilityNames(facts).has(capability)) return `no capability ${capability}`;
  }
  for (const parameter of needs.parameters ?? []) {
    if (!(parameter in (facts.settings?.parameters ?? {}))) return `no parameter ${parameter}`;
  }
  const spared = target.lacks('exit');
  if (spared !== undefined) {
    const defect = needs.deadly?.find((id) => hasDefect(facts, id));
    if (defect !== undefined) return `${spared}, and ${defect} would end it`;
  }
  return needs.unless?.(facts) ?? foreignPages(requirement, facts);
}

const capabilityNames = (facts: TargetFacts): ReadonlySet<string> =>
  new Set((facts.settings?.capabilities ?? []).map((entry) => (isObject(entry) ? String(entry.capability) : '')));

/** Files of the specification whose requirements read or send streams, whatever else they need. */
const ofStreams = /^(stream-format|multifd|xbzrle)\.md/;

/** What our peers read and send has pages of the usual size: on a machine with others it shows nothing. */
function foreignPages({ spec, needs }: Requirement, { pageSize = usualPageSize }: TargetFacts): string | undefined {
  if (pageSize === usualPageSize) return undefined;
  const peers = ofStreams.test(spec) || needs?.abilities?.some((one) => one === 'local') === true;
  return peers ? `its pages are of ${pageSize} bytes, those of our peers of ${usualPageSize}` : undefined;
}
