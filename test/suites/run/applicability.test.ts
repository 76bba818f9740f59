import { expect } from 'chai';
import type { Needs } from '../../../suites/requirement.js';
import { inOrder, ScriptedTarget } from '../../oracle/scripted-target.js';
import { chapter, holds, needing, run } from './scripted-run.js';

describe('applicability', () => {
  const verdictOf = async (needs: Needs, change: (target: ScriptedTarget) => void = () => undefined) => {
    const target = new ScriptedTarget((asked, instance) => {
      const answers: Record<string, unknown> = {
        'query-commands': [{ name: 'migrate' }],
        'query-migrate-parameters': { 'max-bandwidth': 1 },
        'query-migrate-capabilities': [{ capability: 'events', state: false }],
      };
      const value = answers[asked.execute as string];
      return value === undefined ? inOrder(asked, instance) : JSON.stringify({ return: value, id: asked.id });
    });
    change(target);
    const { events, tests } = await run(chapter().must('A', 'a', holds, needing(needs)).done(), {}, target);
    expect(events.some(({ event }) => event === 'started')).to.equal(tests[0]?.[1] === 'conforms');
    return tests[0]?.[1];
  };
  const cases: [string, Needs, Needs][] = [
    ['commands', { commands: ['migrate'] }, { commands: ['migrate', 'stop'] }],
    ['capabilities', { capabilities: ['events'] }, { capabilities: ['xbzrle'] }],
    ['parameters', { parameters: ['max-bandwidth'] }, { parameters: ['downtime-limit'] }],
    ['members', { members: ['migrate.uri'] }, { members: ['migrate.no-such'] }],
    ['any other reason', { unless: () => undefined }, { unless: (facts) => facts.product }],
  ];
  for (const [name, has, lacks] of cases) {
    it(`is decided by ${name}`, async () => {
      expect(await verdictOf(has)).to.equal('conforms');
      expect(await verdictOf(lacks)).to.equal('not-applicable');
    });
  }

  it('is decided by abilities', async () => {
    expect(await verdictOf({ abilities: ['incoming'] })).to.equal('conforms');
    const without = (target: ScriptedTarget) => {
      target.missing = { incoming: 'no' };
    };
    expect(await verdictOf({ abilities: ['incoming'] }, without)).to.equal('not-applicable');
  });
});
