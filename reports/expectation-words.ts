/** What the expectations file says of an outcome, in words. */
import type { Expected, RequirementEnded } from '../oracle/run-events.js';

/** One line for an outcome that the file speaks of. */
export function expectationWords(expected: Expected, { verdict }: Pick<RequirementEnded, 'verdict'>): string {
  const { entry, kind, state, reason, ticket, expires, signature } = expected;
  const why = [reason, ticket].filter((word) => word !== undefined).join(', ');
  const name = `entry ${entry} (${kind}: ${why})`;
  switch (state) {
    case 'met':
      return name;
    case 'fixed':
      return kind === 'not-applicable'
        ? `${name}: it passes, so it does concern the target: take the entry out`
        : `${name}: it passes now: take the entry out`;
    case 'different':
      return `${name}: it fails, but not in this way: ${signature ?? 'any failure'}`;
    case 'expired':
      return `${name}: it held until ${expires}: ${verdict.kind === 'conforms' ? 'take the entry out' : 'look into it again, or give it a later day'}`;
    case 'unjudged':
      return verdict.kind === 'not-applicable'
        ? `${name}: the requirement does not concern this target: take the entry out`
        : `${name}: whether it still holds was not seen`;
  }
}
