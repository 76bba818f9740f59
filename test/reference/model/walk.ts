import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import {
  command,
  initialState,
  type ModelState,
  notation,
  type StartOptions,
  wholeSteps,
} from '../../../reference/model/index.js';

export interface Walked {
  readonly state: ModelState;
  /** Everything that a client saw, in the notation of state-machine.md. */
  readonly story: string;
}

/**
 * Walks the model along labels of steps, and commands written `name` or `name {json arguments}` with `@label` behind
 * them for another alternative than the first. Fails where the model does not permit one.
 */
export function walk(dialect: DialectName, start: StartOptions, ...path: string[]): Walked {
  const rules = dialects[dialect].migration;
  let state = initialState(rules, start);
  const story: string[] = [];
  for (const move of path) {
    const [, name = '', json, label] = /^([^ @]+)(?: (\{.*\}))?(?:@(.+))?$/.exec(move) ?? [];
    const isCommand = /^(migrate|x-|query-)|^(stop|cont)$/.test(name);
    const options = isCommand
      ? command(
          state,
          { name, args: json === undefined ? {} : (JSON.parse(json) as object as Record<string, unknown>) },
          rules,
        )
      : wholeSteps(state, rules).filter((step) => step.label === name);
    const taken = label === undefined ? options[0] : options.find((one) => one.label === label);
    if (taken === undefined)
      throw new Error(`'${move}' is not permitted in ${JSON.stringify(state.out)} ${JSON.stringify(state.in)}`);
    story.push(...taken.outputs.map(notation));
    state = taken.next;
  }
  return { state, story: story.join(' ') };
}
