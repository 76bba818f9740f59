/** What one scenario leaves behind in a process for the next one. */
import { expect } from 'chai';
import { Lane } from '../../campaign/lane.js';
import { referenceTarget } from '../../targets/executable.js';
import { factsOf } from '../../targets/facts.js';
import type { Scenario, Step } from '../../targets/scenario.js';

const scenario = (...steps: Step[]): Scenario => ({
  scenario: 1,
  steps: [{ do: 'start', at: 'source' }, { do: 'connect', at: 'source' }, ...steps],
});
const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});

describe('a process that serves several scenarios', () => {
  const target = referenceTarget('reference');
  after(() => target.close());

  it('is put back between them, whatever was set, and on whichever connection', async () => {
    const facts = await factsOf(target);
    const lane = new Lane({ target, facts, strictDesc: false }, true);
    try {
      const set = command('migrate-set-parameters', { 'cpu-throttle-increment': 1, 'downtime-limit': 5 });
      const first = await lane.run(scenario({ do: 'connect', at: 'source' }, set));
      const second = await lane.run(scenario(command('query-migrate-parameters')));
      expect([...first.symptoms, ...second.symptoms]).to.deep.equal([]);
      expect(second.history).to.have.length(1);
      const shown = second.transcript.entries.findLast(({ text }) => text.includes('cpu-throttle-increment'))?.text;
      expect(JSON.parse(shown ?? '{}').return).to.include({ 'cpu-throttle-increment': 10, 'downtime-limit': 300 });
    } finally {
      await lane.close();
    }
  });

  it('is judged by what its newest connection says, where one takes the place of another', async () => {
    const facts = await factsOf(target);
    const lane = new Lane({ target, facts, strictDesc: false }, true);
    const again: Step[] = [
      { do: 'disconnect', at: 'source' },
      { do: 'connect', at: 'source' },
    ];
    try {
      await lane.run(scenario(command('query-migrate')));
      const { symptoms } = await lane.run(
        scenario({ do: 'connect', at: 'source' }, command('stop'), ...again, command('query-status'), command('cont')),
      );
      expect(symptoms).to.deep.equal([]);
    } finally {
      await lane.close();
    }
  });
});
