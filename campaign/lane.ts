/**
 * One of the lanes of a campaign: runs scenarios one after the other and keeps the source's process from one to the next while
 * it is healthy, with the judge's knowledge of it. Each next scenario begins by putting the settings back and letting the
 * guest run.
 */
import { defectsOfFacts } from '../oracle/release.js';
import { stringifyJson } from '../protocol/json.js';
import type { Scenario, Step } from '../targets/scenario.js';
import type { Settings } from '../targets/settings.js';
import { type Attempt, type AttemptOptions, attempt } from './attempt.js';
import { LeakWatch } from './leak.js';
import { mayHang } from './left-open.js';
import { Shelf } from './shelf.js';
import type { Symptom } from './symptom.js';
import { Weary } from './weary.js';

/** Scenarios that one process serves at most: an oddity that builds up must stay short enough to be told. */
export const longestLife = 40;

/** More states than this after a scenario mean that too little is known of the process to go on with it. */
const mostStates = 64;

/** Outgoing statuses in which nothing is under way. */
const resting: ReadonlySet<string> = new Set(['none', 'completed', 'failed', 'cancelled']);

export interface LaneAttempt extends Attempt {
  /** What the source's process had served before. */
  readonly history: readonly Scenario[];
}

export class Lane {
  private readonly patience = new Weary();

  /** @param shelf where processes wait for the next scenario; shared with other lanes, or of its own */
  constructor(
    private readonly options: AttemptOptions,
    private readonly reuse: boolean,
    private readonly shelf = new Shelf(),
  ) {}

  /** @throws ScenarioError, TargetError */
  async run(scenario: Scenario): Promise<LaneAttempt> {
    const key = keyOf(scenario);
    const before = key === undefined ? undefined : this.shelf.take(key);
    const history = before?.history ?? [];
    const whole =
      before === undefined ? scenario : { ...scenario, steps: afterReset(scenario.steps, this.options.facts.settings) };
    const leaks = before?.leaks ?? new LeakWatch();
    const found: Symptom[] = [];
    const defects = defectsOfFacts(this.options.facts);
    const result = await attempt(whole, {
      ...this.options,
      patience: this.patience,
      ...(before === undefined ? {} : { carried: new Map([['source', before.carried]]) }),
      start: async (name, options) =>
        name === 'source' && before !== undefined ? before.instance : this.options.target.start(options),
      giveBack: async (name, instance, { judge, symptoms, transcript }) => {
        const fit =
          this.reuse &&
          name === 'source' &&
          key !== undefined &&
          symptoms.length === 0 &&
          instance.exit === undefined &&
          history.length + 1 < longestLife &&
          !mayHang(transcript, defects) &&
          judge.states('source').every(({ out }) => resting.has(out.status));
        if (fit) found.push(...leaks.look(instance));
        const carried = fit && found.length === 0 ? judge.carry('source') : undefined;
        if (carried === undefined || carried.hypotheses === 0 || carried.hypotheses > mostStates || key === undefined) {
          await instance.dispose();
          return;
        }
        this.shelf.put(key, { instance, carried, history: [...history, whole], leaks });
      },
    });
    const symptoms = [...result.symptoms, ...found];
    this.patience.learn(symptoms);
    return { ...result, symptoms, history };
  }

  async close(): Promise<void> {
    await this.shelf.clear();
  }
}

/** What a source must have been started with; `undefined` for a scenario whose source cannot be another's. */
function keyOf({ steps }: Scenario): string | undefined {
  const starts = steps.filter((step) => step.do === 'start' && step.at === 'source');
  const [start] = starts;
  if (starts.length !== 1 || start?.do !== 'start' || start.options?.incoming !== undefined) return undefined;
  // What ends the process on purpose leaves nothing to keep; a start in its midst is its own affair.
  const options = Object.entries(start.options ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return steps[0] === start ? stringifyJson(options) : undefined;
}

/** The steps of a scenario for a process that has served others. */
export function afterReset(steps: readonly Step[], settings: Settings | undefined): readonly Step[] {
  const at = steps.findIndex((step) => step.do === 'connect' && step.at === 'source');
  if (at < 0) return steps;
  const { capabilities = [], parameters = { 'max-bandwidth': 2 ** 25 } } = settings ?? {};
  const commands = [
    { execute: 'cont' },
    ...(capabilities.length === 0 ? [] : [{ execute: 'migrate-set-capabilities', arguments: { capabilities } }]),
    { execute: 'migrate-set-parameters', arguments: parameters },
    // Asked, and not only told: what it is like now is known from itself.
    { execute: 'query-migrate-capabilities' },
    { execute: 'query-migrate-parameters' },
    { execute: 'query-migrate' },
  ];
  return [...steps.slice(0, at + 1), { do: 'pipeline', at: 'source', commands }, ...steps.slice(at + 1)];
}

/** One scenario that does what a process went through from its start, for what a single one does not bring about. */
export function chained(scenarios: readonly Scenario[]): Scenario {
  const steps = scenarios.flatMap(({ steps: own }, number) => [
    ...own.flatMap((step) => renamed(step, number, scenarios.length)),
    ...(number === scenarios.length - 1 ? [] : goodbye(own)),
  ]);
  return { scenario: 1, title: `${scenarios.length} scenarios in one process`, steps };
}

/** How a scenario of its own ends: what its connections to the source are still owed is read, and they are closed. */
function goodbye(steps: readonly Step[]): Step[] {
  const open = new Set<string>();
  for (const step of steps) {
    if (step.do === 'connect' && step.at === 'source') {
      open.add(step.monitor === undefined || step.monitor === 0 ? 'source' : `source#${step.monitor + 1}`);
    } else if (step.do === 'disconnect') open.delete(step.at);
  }
  return [
    ...[...open].map((at): Step => ({ do: 'fence', at })),
    ...[...open].map((at): Step => ({ do: 'disconnect', at })),
  ];
}

/** The steps of one of several scenarios: all but the source have names of their own. */
function renamed(step: Step, number: number, of: number): Step[] {
  if (step.do === 'start' && step.at === 'source' && number > 0) return [];
  if (number === of - 1) return [step];
  const mark = `h${number}`;
  const text = stringifyJson(step)
    .replace(/\{channel ([^}]*)\}/g, (_, name: string) => `{channel ${mark}${name}}`)
    .replace(/"(channel|to)":"([^"]*)"/g, (_, member: string, name: string) => `"${member}":"${mark}${name}"`)
    .replace(/"at":"(?!source")([^"]*)"/g, (_, name: string) => `"at":"${mark}${name}"`);
  return [JSON.parse(text) as Step];
}
