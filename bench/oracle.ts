/**
 * How fast the oracle judges: transcripts recorded here from a target are judged again and again in one thread.
 * Usage: npm run bench:oracle [-- TARGET]; default reference. A transcript file (.jsonl) instead of TARGET is judged as it is.
 */
import { readTranscript } from '../cli/judge.js';
import { scenarioOf } from '../generators/scenario/walk.js';
import { execute } from '../oracle/execute.js';
import { type Judgement, type JudgeOptions, judgeTranscript } from '../oracle/judge.js';
import { judgedAs, releaseIn } from '../oracle/release.js';
import type { Transcript } from '../protocol/transcript.js';
import { loadSchema } from '../reference/schema/index.js';
import { learnFacts } from '../targets/facts.js';
import { resolveTarget } from '../targets/resolve.js';
import './plain-faults.js';
import { channelUri, imageOf, type Scenario, type Step, scenarioVersion } from '../targets/scenario.js';
import { program } from './program.js';

/** Seconds of processor time that each figure is measured for. */
const span = 1.5;
const polls = 400;

const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});
const poll = (execute: string): Step[] => Array.from({ length: polls }, () => command(execute));
const eventsOn = command('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });

/** A source that is asked `query-status` and `query-migrate` again and again while nothing happens. */
const quiet: Step[] = [...poll('query-status'), ...poll('query-migrate')];
/** A source that a peer holds in `active`, asked again and again. */
const active: Step[] = [
  eventsOn,
  { do: 'peer', channel: 'c1', behaviour: 'stall' },
  command('migrate', { uri: channelUri('c1') }),
  { do: 'status', at: 'source', is: ['active'], deadline: 2000 },
  ...poll('query-migrate'),
];
const scenarioOfSteps = (steps: readonly Step[]): Scenario => ({
  scenario: scenarioVersion,
  steps: [{ do: 'start', at: 'source', options: { ramImage: imageOf(4) } }, { do: 'connect', at: 'source' }, ...steps],
});

function report(name: string, transcripts: readonly Transcript[], options: JudgeOptions): void {
  const judgements: Judgement[] = transcripts.map((transcript) => judgeTranscript(transcript, options));
  const odd = judgements.filter(({ kind }) => kind === 'divergence' || kind === 'inconclusive');
  const each = judgements.reduce((sum, { observations }) => sum + observations, 0);
  let observations = 0;
  const began = process.cpuUsage();
  // Processor time, so that what else runs on this machine does not count.
  const used = () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  while (used() < span) {
    for (const transcript of transcripts) judgeTranscript(transcript, options);
    observations += each;
  }
  const seconds = used();
  const rate = Math.round(observations / seconds).toLocaleString('en');
  const cost = ((seconds / observations) * 1000).toFixed(4);
  const fault = odd.length === 0 ? '' : `   (${odd.length} not judged to conform)`;
  console.log(`${name.padEnd(24)} ${rate.padStart(9)} observations a CPU second   ${cost} ms each${fault}`);
}

const [given] = program('bench:oracle')
  .argument('[target]', 'a target, or a transcript (.jsonl) that is judged as it is', 'reference')
  .parse().processedArgs as [string];
if (given.endsWith('.jsonl')) {
  const transcript = readTranscript(given);
  const { dialect, defects } = judgedAs(releaseIn(transcript.entries));
  report('transcript', [transcript], { dialect, schema: loadSchema(dialect.name), defects });
} else {
  const { target } = resolveTarget(given);
  const instance = await target.start();
  const { dialect, schema, settings } = await learnFacts(instance);
  await instance.dispose();
  const run = (scenario: Scenario) => execute(scenario, { target, dialect });
  const options = { dialect, schema, ...(settings === undefined ? {} : { settings }) };
  report('quiet', [await run(scenarioOfSteps(quiet))], options);
  report('held in active', [await run(scenarioOfSteps(active))], options);
  const walks: Transcript[] = [];
  for (let seed = 1; seed <= 20; seed++) walks.push(await run(scenarioOf(seed, dialect)));
  report('20 generated scenarios', walks, options);
  await target.close();
}
