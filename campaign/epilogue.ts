/** What every case ends with: the channels are closed, and whatever was under way has to come to its end. */
import type { Scenario, Step } from '../targets/scenario.js';

/** Statuses in which a source may stay when its channel is gone. */
const resting = ['none', 'completed', 'failed', 'cancelled', 'postcopy-paused', 'pre-switchover', 'colo'];

/** Milliseconds: longer than the patience with a migration that has lost its channel. */
const deadline = 4500;

export function withEnd(scenario: Scenario): Scenario {
  const channels = new Set(
    scenario.steps.flatMap((step) => (step.do === 'peer' || step.do === 'relay' ? [step.channel] : [])),
  );
  const source = scenario.steps.findLast(
    (step) => step.do === 'connect' || step.do === 'disconnect' || step.do === 'kill',
  );
  const alone = !scenario.steps.some((step) => step.do === 'connect' && step.at === 'source');
  if (channels.size === 0 || source?.do !== 'connect' || alone) return scenario;
  const cuts = [...channels].map((channel): Step => ({ do: 'cut', channel }));
  return { ...scenario, steps: [...scenario.steps, ...cuts, { do: 'status', at: 'source', is: resting, deadline }] };
}
