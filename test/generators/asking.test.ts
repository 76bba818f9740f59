/** What a monitor that runs already may be sent. */
import { expect } from 'chai';
import { freshTape, randomOf } from '../../campaign/random.js';
import { onlyAsking, traceIn } from '../../generators/asking.js';
import { askingSources, sources } from '../../generators/sources.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import type { Scenario, Step } from '../../targets/scenario.js';

const scenario = (...steps: Step[]): Scenario => ({
  scenario: 1,
  steps: [{ do: 'start', at: 'source' }, { do: 'connect', at: 'source' }, ...steps],
});
const command = (execute: string): Step => ({ do: 'command', at: 'source', execute });
const raw = (bytes: string): Step => ({ do: 'raw', at: 'source', bytes });

describe('scenarios for a monitor that runs already', () => {
  it('may ask, and send what every monitor refuses', () => {
    const asks = scenario(
      command('query-status'),
      command('qmpspec-none'),
      { do: 'pipeline', at: 'source', commands: [{ execute: 'query-migrate' }] },
      raw('{"execute":"query-version","arguments":{"x":1}}'),
      raw('{"execute":"query-'),
      { do: 'fence', at: 'source' },
      { do: 'disconnect', at: 'source' },
    );
    expect(traceIn(asks)).to.equal(undefined);
    expect(onlyAsking(asks)).to.deep.equal(asks);
  });

  const traces: readonly (readonly [string, Step])[] = [
    ['a command', command('cont')],
    ['one that nobody knows here', command('block_resize')],
    ['one in a pipeline', { do: 'pipeline', at: 'source', commands: [{ execute: 'quit' }] }],
    ['one before the negotiation', { do: 'connect', at: 'source', before: [{ execute: 'stop' }] }],
    ['one in bytes', raw('{"execute":"stop"}')],
    ['one that is almost right', raw('{"arguments":{"x":1},"execute":"migrate"}')],
    ['one that is spelled otherwise', raw('{"execute":"\\u0071uit"}')],
    ['one in quotes of the other kind', raw("{'execute' : 'some-command'}")],
    ['one that goes beside the others', raw('{"exec-oob":"migrate-pause"}')],
    ['a descriptor', { do: 'command', at: 'source', execute: 'query-fdsets', descriptors: 1 }],
    ['options of a start', { do: 'start', at: 'source', options: { paused: true } }],
    ['another process', { do: 'start', at: 'destination' }],
    ['a signal', { do: 'kill', at: 'source' }],
  ];
  for (const [what, step] of traces) {
    it(`have nothing with a trace: ${what}`, () => {
      expect(traceIn(scenario(step))).to.match(/^step 3 .* may leave a trace$/);
      expect(traceIn(onlyAsking(scenario(step)))).to.equal(undefined);
    });
  }

  it('keep in a pipeline what asks', () => {
    const mixed = scenario({
      do: 'pipeline',
      at: 'source',
      commands: [{ execute: 'query-status' }, { execute: 'quit' }, { execute: 'query-name' }],
    });
    expect(onlyAsking(mixed).steps.at(-1)).to.deep.equal({
      do: 'pipeline',
      at: 'source',
      commands: [{ execute: 'query-status' }, { execute: 'query-name' }],
    });
  });

  it('are left of every source that campaigns draw from there', () => {
    const surroundings = { dialect: dialects['7.2'], schema: loadSchema('7.2') };
    for (const source of askingSources(sources)) {
      const made = Array.from({ length: 50 }, (_, seed) =>
        source.make(freshTape(randomOf(seed, 0), source.length), surroundings),
      );
      for (const one of made) expect(traceIn(one), source.name).to.equal(undefined);
      expect(
        made.some(({ steps }) => steps.length > 2),
        source.name,
      ).to.equal(true);
    }
  });
});
