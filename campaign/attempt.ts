/** One run of one scenario: executed, judged, and looked through for what speaks against the target. */
import { execute, type StageWorld, type Trouble } from '../oracle/execute.js';
import { type Carried, Judge, type Judgement } from '../oracle/judge.js';
import type { Patience } from '../oracle/patience.js';
import { defectsOfFacts } from '../oracle/release.js';
import { ScenarioError } from '../oracle/scenario-error.js';
import type { Transitions } from '../oracle/tracker/history.js';
import { hostClock, turn } from '../protocol/clock.js';
import { Transcript } from '../protocol/transcript.js';
import { knowsStream, type TargetFacts } from '../targets/facts.js';
import type { Scenario } from '../targets/scenario.js';
import { type Instance, NotOffered, type StartOptions, type Target } from '../targets/target.js';
import { diagnose } from './diagnose.js';
import type { Launch } from './repro/script.js';
import type { Symptom } from './symptom.js';

export interface AttemptOptions {
  readonly target: Target;
  readonly facts: TargetFacts;
  readonly strictDesc: boolean;
  /** Milliseconds for a reply; default: what the target's sessions have. */
  readonly deadline?: number;
  /** How long to wait for a status; as long as its step says when absent. */
  readonly patience?: Patience;
  readonly start?: (name: string, options: StartOptions) => Promise<Instance>;
  /** Takes an instance at the end; default: it is ended. */
  readonly giveBack?: (name: string, instance: Instance, end: AttemptEnd) => Promise<void>;
  /** What is known of processes that were started in earlier attempts. */
  readonly carried?: ReadonlyMap<string, Carried>;
  /** Time, sockets and files; the host's unless a simulation has its own. */
  readonly world?: StageWorld;
}

/** What is known of a scenario when its instances are given back. */
export interface AttemptEnd {
  readonly judge: Judge;
  readonly symptoms: readonly Symptom[];
  readonly transcript: Transcript;
}

export interface Attempt {
  readonly scenario: Scenario;
  readonly transcript: Transcript;
  readonly judgement: Judgement;
  readonly troubles: readonly Trouble[];
  readonly symptoms: readonly Symptom[];
  readonly transitions: Transitions;
  /** How the processes were started, by endpoint; those that were not started by us are missing. */
  readonly launches: ReadonlyMap<string, Launch>;
  /** Commands that were sent. */
  readonly commands: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** Milliseconds of judging after which whatever else is ready has its turn. */
const breath = 50;

/** @throws ScenarioError, TargetError */
export async function attempt(scenario: Scenario, options: AttemptOptions): Promise<Attempt> {
  const { target, facts, strictDesc, deadline, patience, start, carried, world } = options;
  const troubles: Trouble[] = [];
  const used: [string, Instance][] = [];
  const began = performance.now();
  let transcript: Transcript;
  try {
    transcript = await execute(scenario, {
      target,
      dialect: facts.dialect,
      onTrouble: (trouble) => troubles.push(trouble),
      giveBack: async (name, instance) => {
        used.push([name, instance]);
      },
      ...(deadline === undefined ? {} : { deadline }),
      ...(patience === undefined ? {} : { patience }),
      ...(start === undefined ? {} : { start }),
      ...(carried === undefined ? {} : { served: true }),
      ...(world === undefined ? {} : { world }),
    });
  } catch (error) {
    for (const [, instance] of used) await instance.dispose();
    // A target that has no such options is no worse for it: this scenario is not for it.
    if (error instanceof NotOffered) throw new ScenarioError(error.message);
    throw error;
  }
  const judge = new Judge(
    {
      dialect: facts.dialect,
      ...(facts.readings === undefined ? {} : { readings: facts.readings }),
      schema: facts.schema,
      defects: defectsOfFacts(facts),
      strictDesc,
      trails: true,
      ...(facts.settings === undefined ? {} : { settings: facts.settings }),
    },
    carried,
  );
  let since = performance.now();
  for (const entry of transcript.entries) {
    judge.feed(entry);
    // Beside this case others may run: their messages must be read in time. A simulation has a time of its own.
    if (world !== undefined || performance.now() - since < breath) continue;
    await turn(hostClock);
    since = performance.now();
  }
  const { judgement, transitions } = judge;
  const stderr = used.map(([, instance]) => instance.stderr).join('\n');
  const symptoms = diagnose({
    transcript,
    judgement,
    troubles,
    judge,
    stderr,
    defects: defectsOfFacts(facts),
    streamKnown: knowsStream(facts),
    dialect: facts.dialect,
    ...(facts.singlestep === undefined ? {} : { singlestep: facts.singlestep }),
    ...(facts.schemaNote === undefined ? { schema: facts.schema } : {}),
  });
  const launches = new Map(used.flatMap(([name, instance]) => launchOf(name, instance)));
  await Promise.all(
    used.map(
      ([name, instance]) => options.giveBack?.(name, instance, { judge, symptoms, transcript }) ?? instance.dispose(),
    ),
  );
  let commands = 0;
  for (const { kind, text } of transcript.entries) {
    // A line for each: what goes out in one write may hold several.
    if (kind === 'sent') commands += text.split('\n').length - 1 || 1;
  }
  return {
    scenario,
    transcript,
    judgement,
    troubles,
    symptoms,
    transitions,
    launches,
    commands,
    duration: performance.now() - began,
  };
}

/** A run of which there is nothing to tell but these symptoms. */
export const untold = (scenario: Scenario, reason: string, symptoms: readonly Symptom[] = []): Attempt => ({
  scenario,
  transcript: new Transcript(),
  judgement: { kind: 'inconclusive', reason, observations: 0 },
  troubles: [],
  symptoms,
  transitions: { sure: [], possible: [] },
  launches: new Map(),
  commands: 0,
  duration: 0,
});

/** As {@link attempt}; a scenario that cannot be run shows nothing. @throws TargetError */
export async function tried(run: (scenario: Scenario) => Promise<Attempt>, scenario: Scenario): Promise<Attempt> {
  try {
    return await run(scenario);
  } catch (error) {
    if (error instanceof ScenarioError) return untold(scenario, error.message);
    throw error;
  }
}

/** Size of RAM images that stand for `{image N}`. */
function launchOf(name: string, { commandLine, scratch, options }: Instance): [string, Launch][] {
  if (commandLine === undefined) return [];
  const { ramImage } = options;
  const mib = Number(/ram-(\d+)\.img$/.exec(ramImage ?? '')?.[1] ?? 4);
  return [
    [name, { words: commandLine, scratch, ...(ramImage === undefined ? {} : { image: { path: ramImage, mib } }) }],
  ];
}
