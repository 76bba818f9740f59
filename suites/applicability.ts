/** Whether a requirement concerns a target, decided from what the target says of itself. */
import { isObject } from '../protocol/json.js';
import type { TargetFacts } from '../targets/facts.js';
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
  return needs.unless?.(facts);
}

const capabilityNames = (facts: TargetFacts): ReadonlySet<string> =>
  new Set((facts.settings?.capabilities ?? []).map((entry) => (isObject(entry) ? String(entry.capability) : '')));
