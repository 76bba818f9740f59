/**
 * Scenario steps that the simulation does for each second of processor time: of walks, of scenarios that are mostly commands,
 * and of everything that a campaign draws, each with its shares of the time for drawing, running and judging.
 * A step is what a scenario file lists as one: a command with its reply, raw bytes, a pipeline, a wait for a status or an event
 * with all the queries that it takes, a start, a connection, an action on a migration channel. What comes of it (events, passes,
 * polls, pages of a stream, what the scheduler moves) is not counted, and every run is judged to its end.
 * A process is slow at first, until what it does often has been compiled and what it meets often is known; a campaign lives
 * on for hours, so that this is measured apart.
 * Usage: npm run bench:simulate [-- --seconds 10 --warm 20 --only walks]
 */
import { Option } from 'commander';
import { Schedule } from '../campaign/schedule.js';
import { wholeNumber } from '../cli/options.js';
import { chooseSources } from '../generators/sources.js';
import { type DialectName, dialectNames, dialects } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';
import { simulate } from '../simulation/simulate.js';
import type { Scenario } from '../targets/scenario.js';
import './plain-faults.js';
import { program } from './program.js';

/** What is measured, and the sources of cases that it draws from. */
const mixes: Readonly<Record<string, readonly string[]>> = {
  walks: ['walk'],
  commands: ['values', 'near-miss'],
  everything: [],
};

const options = program('bench:simulate')
  .option('--seconds <n>', 'of processor time for each measurement', wholeNumber(1, 86_400), 10)
  .option('--warm <n>', 'of processor time before each', wholeNumber(0, 86_400), 30)
  .addOption(new Option('--only <mix>', 'only this').choices(Object.keys(mixes)))
  .parse()
  .opts<{ seconds: number; warm: number; only?: string }>();

/** Seconds of processor time since `before`. */
function used(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

interface Sums {
  runs: number;
  steps: number;
  messages: number;
  /** Replies and events that came, each judged. */
  received: number;
  problems: number;
  /** Seconds of processor time. */
  busy: number;
  /** Milliseconds in all, and of these for drawing scenarios and for judging transcripts: for the shares alone. */
  time: number;
  drawing: number;
  judging: number;
}

const seed = 1;
/** Cases between two looks at the time: a look costs as much as a few steps. */
const together = 25;

/** One schedule for each dialect: cases take turns among them. */
function plans(names: readonly string[]): (index: number) => [DialectName, ReturnType<Schedule['plan']>] {
  const schedules = dialectNames.map((name) => {
    const surroundings = { dialect: dialects[name], schema: loadSchema(name) };
    return [name, new Schedule(seed, chooseSources(names), surroundings)] as const;
  });
  return (index) => {
    const [name, schedule] = schedules[index % schedules.length] as (typeof schedules)[number];
    return [name, schedule.plan(index)];
  };
}

/** @param first number of the first case */
async function measure(names: readonly string[], first: number, seconds: number): Promise<Sums> {
  const sums: Sums = {
    runs: 0,
    steps: 0,
    messages: 0,
    received: 0,
    problems: 0,
    busy: 0,
    time: 0,
    drawing: 0,
    judging: 0,
  };
  const plan = plans(names);
  while (sums.busy < seconds) {
    const before = process.cpuUsage();
    const began = performance.now();
    const cases = Array.from({ length: together }, () => {
      const index = first + sums.runs++;
      return [index, ...plan(index)] as const;
    });
    sums.drawing += performance.now() - began;
    for (const [index, dialect, { scenario }] of cases) await one(index, dialect, scenario, sums);
    sums.time += performance.now() - began;
    sums.busy += used(before);
  }
  return sums;
}

async function one(index: number, dialect: DialectName, scenario: Scenario, sums: Sums): Promise<void> {
  let over = 0;
  const onOver = () => {
    over = performance.now();
  };
  const { transcript, problem } = await simulate(index, { dialect, scenario, onOver });
  if (over > 0) sums.judging += performance.now() - over;
  sums.steps += scenario.steps.length;
  sums.messages += transcript.entries.filter(({ kind }) => kind === 'sent').length;
  sums.received += transcript.entries.filter(({ kind }) => kind === 'received').length;
  if (problem !== undefined) {
    sums.problems++;
    process.exitCode = 1;
    console.log(`case ${index}, dialect ${dialect}: ${problem}`);
  }
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const { seconds, warm: warmUp } = options;
console.log(
  'a step is one line of a scenario: a command and its reply, a wait, a start, an action on a channel; all is judged',
);
for (const [name, sources] of Object.entries(mixes)) {
  if (options.only !== undefined && options.only !== name) continue;
  const warm = warmUp > 0 ? await measure(sources, 0, warmUp) : undefined;
  const measured = await measure(sources, warm?.runs ?? 0, seconds);
  const { runs, steps, messages, received, problems, busy, time, drawing, judging } = measured;
  const share = (part: number) => `${Math.round((100 * part) / time)} %`;
  const first = warm === undefined ? '' : `; ${whole(warm.steps / warm.busy)} in its first ${whole(warm.busy)} s`;
  console.log(
    `${name.padEnd(11)} ${whole(steps / busy).padStart(7)} steps for each second of processor time ` +
      `(${whole(messages / busy)} sends, ${whole(received / busy)} messages judged, ${whole(runs / busy)} runs; drawing ${share(drawing)}, ` +
      `running ${share(time - drawing - judging)}, judging ${share(judging)}; ${runs} runs, ${problems} problems${first})`,
  );
}
