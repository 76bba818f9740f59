import { expect } from 'chai';
import type { DialectName } from '../../reference/dialects/dialect.js';
import { simulate } from '../../simulation/simulate.js';
import { channelUri, type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';

const command = (execute: string, args?: unknown) => ({ execute, ...(args === undefined ? {} : { arguments: args }) });
const to = (channel: string, more: object = {}) => command('migrate', { uri: channelUri(channel), ...more });
const set = (...names: string[]) =>
  command('migrate-set-capabilities', { capabilities: names.map((capability) => ({ capability, state: true })) });
const one = (what: object): Step => ({ do: 'command', at: 'source', ...what }) as Step;
const together = (...commands: object[]): Step => ({ do: 'pipeline', at: 'source', commands }) as Step;
const until = (...is: string[]): Step => ({ do: 'status', at: 'source', is }) as Step;

/** A source with events, and what is done with it. */
const scenario = (...steps: Step[]): Scenario => ({
  scenario: scenarioVersion,
  steps: [{ do: 'start', at: 'source' }, { do: 'connect', at: 'source' }, one(set('events')), ...steps],
});

/** What goes wrong, whatever comes first. */
async function problems(dialect: DialectName, given: Scenario): Promise<string[]> {
  const found: string[] = [];
  for (let seed = 1; seed <= 150; seed++) {
    const { problem } = await simulate(seed, { dialect, scenario: given });
    if (problem !== undefined) found.push(`seed ${seed}: ${problem}`);
  }
  return found;
}

describe('two migrations in a row, simulated', () => {
  it('the second begins before the first one knows that it was cancelled', async () => {
    const peers = ['a', 'b'].map((channel): Step => ({ do: 'peer', channel, behaviour: 'answer' }));
    const given = scenario(...peers, together(to('a'), command('migrate_cancel')), one(to('b')), until('completed'));
    for (const dialect of ['7.2', '10.0'] as const) expect(await problems(dialect, given), dialect).to.deep.equal([]);
  });

  it('the second is refused behind one that goes on, and leaves its age alone', async () => {
    const slow = { 'max-bandwidth': 4096, 'max-postcopy-bandwidth': 4096 };
    const given = scenario(
      one(set('postcopy-ram')),
      one(command('migrate-set-parameters', slow)),
      { do: 'peer', channel: 'a', behaviour: 'answer' },
      together(to('a'), command('migrate-start-postcopy')),
      until('postcopy-active', 'completed'),
      { do: 'command', at: 'source', execute: 'migrate-pause' },
      until('postcopy-paused', 'completed'),
      together(to('a', { resume: true }), to('none')),
      one(command('query-migrate')),
    );
    expect(await problems('7.2', given)).to.deep.equal([]);
  });
});
