/**
 * Storms: many commands in one write, again and again, at a source that is idle, held or on its way. What takes care of one
 * command at a time meets a queue that is never empty, and a campaign gets as many commands through a target as it can take.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { channelUri, imageOf, type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';
import { Tape } from './tape.js';
import { anyStatus, badUri, capability, parameters } from './values.js';

interface Call {
  readonly execute: string;
  readonly arguments?: unknown;
}

/** Commands of one write. */
const most = 48;

function call(tape: Tape, dialect: Dialect): Call {
  return tape.weighted<() => Call>([
    [6, () => ({ execute: 'query-migrate' })],
    [3, () => ({ execute: 'query-status' })],
    [2, () => ({ execute: 'query-migrate-parameters' })],
    [1, () => ({ execute: 'query-migrate-capabilities' })],
    [4, () => ({ execute: 'migrate-set-parameters', arguments: parameters(tape) })],
    [2, () => ({ execute: 'migrate-set-capabilities', arguments: { capabilities: [capability(tape, dialect)] } })],
    [1, () => ({ execute: 'migrate-continue', arguments: { state: anyStatus(tape) } })],
    [1, () => ({ execute: 'migrate-start-postcopy' })],
    [1, () => ({ execute: 'migrate-pause' })],
    [1, () => ({ execute: 'migrate-recover', arguments: { uri: badUri(tape) } })],
    [1, () => ({ execute: 'migrate-incoming', arguments: { uri: badUri(tape) } })],
    [1, () => ({ execute: 'stop' })],
    [1, () => ({ execute: 'cont' })],
  ])();
}

/** The storm that a tape stands for. */
export function storm(decisions: readonly number[], dialect: Dialect): Scenario {
  const tape = new Tape(decisions);
  const held = tape.weighted<'idle' | 'stall' | 'answer'>([
    [3, 'idle'],
    [3, 'stall'],
    [2, 'answer'],
  ]);
  const rounds = 2 + tape.number(6);
  const calls = Array.from({ length: 8 + tape.number(most - 7) }, () => call(tape, dialect));
  const steps: Step[] = [
    { do: 'start', at: 'source', ...(held === 'idle' ? {} : { options: { ramImage: imageOf(4) } }) },
    { do: 'connect', at: 'source' },
    {
      do: 'command',
      at: 'source',
      execute: 'migrate-set-capabilities',
      arguments: { capabilities: [{ capability: 'events', state: true }] },
    },
  ];
  if (held !== 'idle') {
    steps.push({ do: 'peer', channel: 's', behaviour: held });
    steps.push({ do: 'command', at: 'source', execute: 'migrate', arguments: { uri: channelUri('s') } });
    if (tape.chance(60))
      steps.push({ do: 'status', at: 'source', is: ['active', 'completed', 'failed'], deadline: 300 });
  }
  for (let round = 0; round < rounds; round++) {
    // Another beginning each time: what follows the last command of a round is not always the same.
    const from = (round * 7) % calls.length;
    steps.push({ do: 'pipeline', at: 'source', commands: [...calls.slice(from), ...calls.slice(0, from)] });
    steps.push({ do: 'fence', at: 'source' });
  }
  if (held !== 'idle') {
    steps.push({ do: 'command', at: 'source', execute: 'migrate_cancel' });
    steps.push({ do: 'release', channel: 's' });
    steps.push({ do: 'status', at: 'source', is: ['none', 'completed', 'failed', 'cancelled'], deadline: 3000 });
    steps.push({ do: 'runstate', at: 'source', is: ['postmigrate', 'running', 'paused'], deadline: 2000 });
  }
  return { scenario: scenarioVersion, steps };
}
