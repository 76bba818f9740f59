/** One simulated run: a scenario, the reference, our peers and the oracle, from one number. */
import { scenarioOf } from '../generators/scenario/walk.js';
import { tellsOfDropped } from '../oracle/dropped.js';
import { execute } from '../oracle/execute.js';
import { type Judgement, judgeTranscript } from '../oracle/judge.js';
import { Transcript } from '../protocol/transcript.js';
import { type DialectName, dialectNames, dialects } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';
import { InProcessTarget } from '../targets/in-process/target.js';
import type { Scenario } from '../targets/scenario.js';
import { SimulatedWorld } from './world.js';

export interface SimulationOptions {
  /** Every seed has a dialect of its own unless this says which. */
  readonly dialect?: DialectName;
  /** Run this scenario instead of the seed's own; the seed still decides the order of what happens. */
  readonly scenario?: Scenario;
  /** Moves of the scheduler that the run may take; 200,000 when absent. */
  readonly allowance?: number;
  /** Faults to plant in the reference. */
  readonly faults?: readonly string[];
  /** Called when the run is over, before it is judged. */
  readonly onOver?: () => void;
}

export interface Simulation {
  readonly seed: number;
  readonly dialect: DialectName;
  readonly scenario: Scenario;
  readonly transcript: Transcript;
  readonly judgement: Judgement;
  /** What is wrong, in one line; absent when all is well. */
  readonly problem?: string;
  /** Moves of the scheduler. */
  readonly moves: number;
}

/** A long scenario takes some thousand. */
const usualAllowance = 200_000;

/** Dialects take turns. */
export const dialectOf = (seed: number): DialectName =>
  dialectNames[Math.abs(seed) % dialectNames.length] as DialectName;

/** The run of a seed, the same at each call and on every machine. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Simulation> {
  const name = options.dialect ?? dialectOf(seed);
  const dialect = dialects[name];
  const scenario = options.scenario ?? scenarioOf(seed, dialect);
  const world = new SimulatedWorld(seed);
  const faults = options.faults === undefined ? {} : { faults: options.faults };
  const target = new InProcessTarget({ dialect: name, world: world.target, ...faults });
  let begun: Transcript | undefined;
  const onBegin = (one: Transcript) => {
    begun = one;
  };
  const run = execute(scenario, { target, dialect, world: world.stage, onBegin });
  const about = { seed, dialect: name, scenario };
  let transcript: Transcript;
  try {
    transcript = await world.scheduler.drive(run, options.allowance ?? usualAllowance);
  } catch (error) {
    return {
      ...about,
      ...unfinished(error as Error),
      transcript: begun ?? new Transcript(),
      moves: world.scheduler.moves,
    };
  }
  world.end();
  options.onOver?.();
  const judgement = judgeTranscript(transcript, { dialect, schema: loadSchema(name) });
  const problem = problemOf(judgement, transcript);
  return {
    ...about,
    transcript,
    judgement,
    ...(problem === undefined ? {} : { problem }),
    moves: world.scheduler.moves,
  };
}

/** A run that could not be brought to its end is not judged: its transcript tells how far it came. */
const unfinished = ({ name, message }: Error) => ({
  judgement: { kind: 'inconclusive', reason: message, observations: 0 } as const,
  problem: `${name}: ${message}`,
});

/** A run without a divergence may still have hung. */
function problemOf(judgement: Judgement, transcript: Transcript): string | undefined {
  const hang = transcript.entries.find(
    ({ kind, text }) =>
      kind === 'note' && /^no (reply|greeting) .*within/.test(text) && !tellsOfDropped(transcript, text),
  );
  if (judgement.kind === 'divergence') {
    const { got, permitted, endpoint, entry } = judgement.divergence!;
    const words = permitted.map((one) => one.words).join(' or ');
    return `divergence at ${endpoint}, entry ${entry}: got ${got}; permitted: ${words}`;
  }
  if (hang !== undefined) return `hang at ${hang.at}: ${hang.text}`;
  return judgement.kind === 'conforms'
    ? undefined
    : `${judgement.kind}: ${judgement.reason ?? judgement.defects?.join(', ')}`;
}
