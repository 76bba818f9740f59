import { expect } from 'chai';
import fc from 'fast-check';
import { harmIn } from '../../generators/harmless.js';
import { jsonScenarios } from '../../generators/json/scenario.js';
import { nearMissScenarios } from '../../generators/near-miss/scenario.js';
import { raceScenario, races } from '../../generators/races/races.js';
import { tapes } from '../../generators/scenario/tape.js';
import { sources } from '../../generators/sources.js';
import { timingScenarios } from '../../generators/timing/scenario.js';
import { valueScenarios } from '../../generators/values/scenario.js';
import { execute, ScenarioError } from '../../oracle/execute.js';
import { dialectNames, dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import type { Scenario, Step } from '../../targets/scenario.js';
import {
  expectFunctionOfItsTape,
  expectShrinksTo,
  expectStrictlySmaller,
  expectTotal,
  fingerprint,
  tapesOf,
} from './assertions.js';

/** Scenarios looked at for harm; `npm run harmless` looks at 100,000. */
const looked = Number(process.env.QMPSPEC_HARMLESS_SCENARIOS ?? 10_000);

const surroundings = dialectNames.map((name) => ({ dialect: dialects[name], schema: loadSchema(name) }));
const at = surroundings[1] as (typeof surroundings)[number];

const pins: Readonly<Record<string, string>> = {
  values: 'fd0fbd722d0327e9',
  'near-miss': 'f82961bd9129e164',
  json: '2e73a64e3d34b780',
  timing: '87fa15fb62f418d1',
  expedition: '28cb3fbeef95e39a',
};

const of = (...steps: Step[]): Scenario => ({ scenario: 1, steps });
const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});

describe('every source of cases', () => {
  for (const { name, make } of sources) {
    it(`${name}: is a function of its tape, for every tape`, function () {
      this.timeout(60_000);
      for (const each of surroundings) {
        expectFunctionOfItsTape((tape) => make(tape, each));
        expectTotal((tape) => make(tape, each));
      }
    });

    it(`${name}: survives a round trip as JSON`, () => {
      for (const tape of tapesOf(3, 30)) {
        const scenario = make(tape, at);
        expect(JSON.parse(JSON.stringify(scenario))).to.deep.equal(scenario);
      }
    });
  }

  const { dialect, schema } = at;
  // What has to be in a scenario, and the fewest steps of one that has it.
  const planted: readonly (readonly [name: string, all: fc.Arbitrary<Scenario>, content: string, steps: number])[] = [
    ['values', valueScenarios(dialect, schema), 'xbzrle-cache-size', 5],
    ['near-miss', nearMissScenarios(dialect, schema), 'qmpspec-none', 5],
    ['json', jsonScenarios(dialect), 'ud83d', 6],
    ['timing', timingScenarios(dialect), 'cuts', 5],
  ];
  for (const [name, all, content, steps] of planted) {
    it(`${name}: shrinks to the fewest steps that show a planted fault`, function () {
      this.timeout(60_000);
      const shows = (scenario: Scenario) => JSON.stringify(scenario).includes(content);
      expectShrinksTo(all, shows, (scenario) => scenario.steps.length, steps);
    });
  }

  it('shrinks towards strictly less', () => {
    const json = sources.find(({ name }) => name === 'json');
    const shows = (tape: readonly number[]) => JSON.stringify(json?.make(tape, at)).includes('\\u0000');
    expectStrictlySmaller(tapes(80), shows);
  });

  it('makes of a tape what it always made: an old report still stands for the same case', () => {
    const made = Object.keys(pins).map((name) => {
      const source = sources.find((one) => one.name === name);
      return [name, fingerprint((tape) => source?.make(tape, at))];
    });
    expect(Object.fromEntries(made)).to.deep.equal(pins);
  });

  it(`makes nothing that could reach outside its run, in ${looked} scenarios`, function () {
    this.timeout(600_000);
    const each = Math.ceil(looked / sources.length / surroundings.length);
    const faults: string[] = [];
    for (const [index, around] of surroundings.entries()) {
      for (const { name, make, length } of sources) {
        for (const tape of tapesOf(index + 11, each, length)) {
          const harm = harmIn(make(tape, around));
          if (harm !== undefined) faults.push(`${name}: ${harm}`);
        }
      }
      for (const race of races(around.dialect)) {
        const harm = harmIn(raceScenario(race));
        if (harm !== undefined) faults.push(`race: ${harm}`);
      }
    }
    expect(faults.slice(0, 5).join('\n')).to.equal('');
  });
});

describe('harm', () => {
  const harmful: Readonly<Record<string, Scenario>> = {
    'a program': of(command('migrate', { uri: 'exec:rm -rf x' })),
    'a program in other case': of(command('migrate', { uri: 'EXEC:cat >x' })),
    'a path': of(command('migrate', { uri: 'unix:/var/run/x' })),
    'a path upwards': of(command('migrate', { uri: 'unix:{channel a}/../x' })),
    'another host': of(command('migrate', { uri: 'tcp:192.0.2.1:4444' })),
    'every interface': of(command('migrate-incoming', { uri: 'tcp::0' })),
    'a file': of(command('migrate', { uri: 'file:x' })),
    'a program deep inside': of(command('migrate', { channels: [{ addr: { transport: 'exec', args: ['x'] } }] })),
    'the human monitor': of(command('human-monitor-command', { 'command-line': 'info version' })),
    'a dump': of(command('dump-guest-memory', { paging: false, protocol: 'file:x' })),
    'a screen dump': of(command('screendump', { filename: 'x' })),
    'a file of RAM': of(command('pmemsave', { val: 0, size: 1, filename: 'x' })),
    'a command in a batch': of({ do: 'pipeline', at: 'source', commands: [{ execute: 'drive-mirror' }] }),
    'a command in bytes': of({ do: 'raw', at: 'source', bytes: '{"execute":"human-monitor-command"}' }),
    'an escaped command': of({ do: 'raw', at: 'source', bytes: '{"execute":"\\u0073creendump"}' }),
    'a program in bytes': of({ do: 'raw', at: 'source', bytes: "{'execute':'migrate','arguments':{'uri':'exec:id'}}" }),
    'a program behind what is harmless': of({
      do: 'raw',
      at: 'source',
      bytes:
        '{"execute":"migrate","arguments":{"uri":"tcp:127.0.0.1:1"}}{"execute":"migrate","arguments":{"uri":"exec:id"}}',
    }),
    'a transport behind an address': of({
      do: 'raw',
      at: 'source',
      bytes: "{'execute':'migrate','arguments':{'uri':'tcp:127.0.0.1:1','channels':[{'addr':{'transport':'exec'}}]}}",
    }),
    'a file in parts': of(command('migrate', { channels: [{ addr: { transport: 'file', filename: 'x' } }] })),
    'another host in parts': of(
      command('migrate', { channels: [{ addr: { transport: 'socket', type: 'inet', host: '192.0.2.1', port: '1' } }] }),
    ),
    'a socket in parts': of(
      command('migrate', { channels: [{ addr: { transport: 'socket', type: 'unix', path: 'x' } }] }),
    ),
    'a start with more memory than there is': of({ do: 'start', at: 'source', options: { memory: 1_000_000 } }),
    'a start that waits on a program': of({ do: 'start', at: 'source', options: { incoming: 'exec:id' } }),
    'a start with a file': of({ do: 'start', at: 'source', options: { ramImage: '/etc/hostname' } }),
    'a start with a drive': of({ do: 'start', at: 'source', options: { extra: ['-drive', 'file=x'] } }),
  };
  for (const [what, scenario] of Object.entries(harmful)) {
    it(`is seen in ${what}, and the executor refuses it`, async () => {
      expect(harmIn(scenario)).to.be.a('string');
      const target = new InProcessTarget();
      const error: unknown = await execute(scenario, { target, dialect: dialects['3.0'] }).catch((one: unknown) => one);
      expect(error).to.be.instanceOf(ScenarioError);
      expect((error as Error).message).to.match(/^step 1 .*stay inside their run$/);
    });
  }

  it('is not seen in what scenarios need', () => {
    for (const uri of ['unix:{channel c1}', 'tcp:127.0.0.1:1', 'TCP:127.0.0.1:1', 'defer', '', 'exec:cat >/dev/null'])
      expect(harmIn(of(command('migrate', { uri }))), uri).to.equal(undefined);
    expect(harmIn(of({ do: 'start', at: 'source', options: { ramImage: '{image 4}', incoming: 'defer' } }))).to.equal(
      undefined,
    );
  });

  it('is judged fast enough to be asked each time', () => {
    fc.assert(
      fc.property(tapes(90), (tape) => harmIn(sources[0]!.make(tape, at)) === undefined),
      { numRuns: 200 },
    );
  });
});
