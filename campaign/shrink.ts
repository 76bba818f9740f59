/**
 * Makes a scenario smaller while it still shows its symptom: fewer steps first, until none can go (1-minimal), then simpler
 * ones. A step whose prerequisite goes, goes with it, so that every candidate is a scenario that can be run.
 */
import type { Scenario, Step } from '../targets/scenario.js';
import { folded } from './fold.js';
import { simplerSteps } from './simpler.js';

export interface ShrinkOptions {
  /** Whether a candidate still shows it. */
  readonly shows: (candidate: Scenario) => Promise<boolean>;
  /** False when time is up, or the campaign ends. */
  readonly going: () => boolean;
  /** Texts of steps that are not to be tried; those that were tried are added. */
  readonly known?: Set<string>;
}

export interface Shrunk {
  readonly scenario: Scenario;
  /** Candidates that were run. */
  readonly tried: number;
  /** No single step can go; false when time ran out before that was known. */
  readonly minimal: boolean;
}

export async function shrink(scenario: Scenario, { shows, going, known = new Set() }: ShrinkOptions): Promise<Shrunk> {
  let best = scenario;
  let tried = 0;
  known.add(textOf(best));
  const better = async (steps: readonly Step[]): Promise<boolean> => {
    const text = textOf({ steps });
    if (steps.length === 0 || known.has(text) || !going()) return false;
    known.add(text);
    tried++;
    const candidate = { ...best, steps };
    if (!(await shows(candidate))) return false;
    best = candidate;
    return true;
  };

  const fewer = async (): Promise<boolean> => {
    let changed = false;
    // The end first: what comes after the symptom is not needed, and mostly is a lot.
    for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let end = best.steps.length; end > 0; ) {
        const from = Math.max(0, end - size);
        if (await better(without(best.steps, from, end))) changed = true;
        if (!going()) return changed;
        end = Math.min(from, best.steps.length);
      }
    }
    return changed;
  };
  const simpler = async (): Promise<boolean> => {
    let changed = false;
    for (let at = 0; at < best.steps.length; at++) {
      for (let again = true; again && going(); ) {
        again = false;
        for (const replacement of simplerSteps(best.steps[at] as Step)) {
          const steps = meaningful([...best.steps.slice(0, at), ...replacement, ...best.steps.slice(at + 1)]);
          if (!(await better(steps))) continue;
          changed = true;
          again = at < best.steps.length;
          break;
        }
      }
    }
    return changed;
  };

  /** Commands one after the other in one write, where there is still too much to take in at a glance. */
  const joined = async (): Promise<boolean> => {
    let changed = false;
    for (let at = best.steps.length - 2; at >= 0 && best.steps.length > glance; at--) {
      const one = inOneWrite(best.steps[at], best.steps[at + 1]);
      if (one === undefined) continue;
      if (await better([...best.steps.slice(0, at), one, ...best.steps.slice(at + 2)])) changed = true;
    }
    return changed;
  };

  /** What stands between commands and need not: peers that could have been there before, and several where one will do. */
  const gathered = async (): Promise<boolean> => {
    let changed = false;
    for (let at = 2; at < best.steps.length && best.steps.length > glance; at++) {
      const step = best.steps[at] as Step;
      if (step.do !== 'peer' && step.do !== 'relay') continue;
      const others = [...best.steps.slice(0, at), ...best.steps.slice(at + 1)];
      const first = others.find((one) => one.do === 'peer');
      const shared =
        step.do === 'peer' && first?.do === 'peer' ? [renamedChannel(others, step.channel, first.channel)] : [];
      const early = [others[0] as Step, step, ...others.slice(1)];
      for (const steps of [...shared, early]) {
        if (!(await better(steps))) continue;
        changed = true;
        break;
      }
    }
    return changed;
  };

  /** What one step does as well as two, where there is still too much. */
  const closer = async (): Promise<boolean> => {
    if (best.steps.length <= glance) return false;
    for (const steps of folded(best.steps)) if (await better(steps)) return true;
    return false;
  };

  let minimal = false;
  while (going()) {
    // Both until neither finds anything: a simpler step may make another one needless.
    while (await fewer());
    minimal = going();
    // What takes steps away comes first: there are many ways to make one simpler, and time may run out.
    if (!(await gathered()) && !(await joined()) && !(await closer()) && !(await simpler())) break;
    minimal = false;
  }
  return { scenario: best, tried, minimal };
}

/** What tells the steps of one scenario from those of another. */
export const textOf = ({ steps }: Pick<Scenario, 'steps'>): string => JSON.stringify(steps);

/** Steps that a reader takes in at a glance. */
export const glance = 6;

/** Two steps as one pipeline; `undefined` where they are not commands to the same monitor. */
function inOneWrite(first: Step | undefined, second: Step | undefined): Step | undefined {
  const [before, after] = [commandsOf(first), commandsOf(second)];
  if (before === undefined || after === undefined || before.at !== after.at) return undefined;
  return { do: 'pipeline', at: before.at, commands: [...before.commands, ...after.commands] };
}

/** Steps that use one channel in the place of another. */
const renamedChannel = (steps: readonly Step[], from: string, to: string): Step[] =>
  steps.map(
    (step) =>
      JSON.parse(
        JSON.stringify(step)
          .replaceAll(`{channel ${from}}`, `{channel ${to}}`)
          .replaceAll(`"channel":"${from}"`, `"channel":"${to}"`),
      ) as Step,
  );

function commandsOf(step: Step | undefined): Extract<Step, { do: 'pipeline' }> | undefined {
  if (step?.do === 'pipeline') return step;
  if (step?.do !== 'command') return undefined;
  const { do: _, at, post: __, ...command } = step;
  return { do: 'pipeline', at, commands: [command] };
}

/** The steps without some of them, and without those that cannot be done then. */
const without = (steps: readonly Step[], from: number, end: number): Step[] =>
  meaningful([...steps.slice(0, from), ...steps.slice(end)]);

/** Drops every step that lacks what it needs: its process, its connection, its channel. */
export function meaningful(steps: readonly Step[]): Step[] {
  const started = new Set<string>();
  const connected = new Set<string>();
  const channels = new Set<string>();
  return steps.filter((step) => {
    switch (step.do) {
      case 'start':
        if (started.has(step.at)) return false;
        started.add(step.at);
        return true;
      case 'connect':
        if (!started.has(step.at)) return false;
        connected.add(step.monitor === undefined || step.monitor === 0 ? step.at : `${step.at}#${step.monitor + 1}`);
        return true;
      case 'peer':
      case 'relay':
      case 'feed':
        // The channels' folder is the first process's.
        if (started.size === 0) return false;
        channels.add(step.channel);
        return true;
      case 'release':
      case 'cut':
      case 'message':
      case 'channel':
        return channels.has(step.channel);
      case 'exit':
      case 'kill':
        return started.has(step.at);
      case 'disconnect':
        return connected.delete(step.at);
      default:
        return 'at' in step ? connected.has(step.at) : true;
    }
  });
}
