/** What a search asks of an observation and of what was sent: all that its result hangs on, beside where it begins. */
import { type Execution, keyWith } from './core.js';
import { type Emission, idMatches, matches } from './emission.js';
import type { Observation } from './observation.js';
import { passNumber } from './order.js';
import type { Queue } from './queue.js';
import type { Tuning } from './tuning.js';

/** Whether the observation is this emission, the id apart. */
type IsEmission = Emission;

/** Whether its id is that of the command with this number; of none when absent. */
interface IsOfCommand {
  readonly ask: 'id';
  readonly number: number | undefined;
}

/** Whether its number may be that of a pass that these rows permit, after those counted so far or after none that is known. */
interface IsPass {
  readonly ask: 'pass';
  readonly rows: readonly string[];
  readonly counted: boolean;
}

/**
 * Which command has this number in its order, and what it does with this tuning; `''` for none. Without a tuning it is that with
 * which the search begins; any other one follows from the commands before.
 */
interface WhichCommand {
  readonly ask: 'command';
  readonly number: number;
  readonly tuning: Tuning | undefined;
}

/** Numbers of commands count from the beginning, or from some command on. */
export type Question = IsEmission | IsOfCommand | IsPass | WhichCommand;

export type Answer = boolean | string;

/** The question as it is asked wherever a search begins in the same way: its numbers count from there. */
export function inGeneral(question: Question, from: number, tuning: Tuning): Question {
  if ('output' in question || question.ask === 'pass' || question.number === undefined) return question;
  const number = question.number - from;
  if (question.ask === 'id') return { ...question, number };
  return { ...question, number, tuning: question.tuning === tuning ? undefined : question.tuning };
}

export function areSame(one: Question, other: Question): boolean {
  if (one === other) return true;
  if ('output' in one || 'output' in other || one.ask !== other.ask) return false;
  if (one.ask === 'pass') return other.ask === 'pass' && one.rows === other.rows && one.counted === other.counted;
  if (one.number !== (other as typeof one).number) return false;
  return one.ask === 'id' || one.tuning === (other as WhichCommand).tuning;
}

/** What a question is asked of. */
export interface Asking {
  readonly seen: Observation;
  readonly queue: Queue;
  /** The command from which numbers count. */
  readonly from: number;
  /** With which the search begins. */
  readonly tuning: Tuning;
  /** Number of the last pass, where it is known. */
  readonly pass: number | undefined;
  readonly strictDesc: boolean;
}

export function answerTo(question: Question, { seen, queue, from, tuning, pass, strictDesc }: Asking): Answer {
  if ('output' in question) return matches(question, seen, strictDesc);
  switch (question.ask) {
    case 'id': {
      const id = question.number === undefined ? undefined : queue.idAt(from + question.number);
      return seen.kind === 'reply' && idMatches(id, seen.id);
    }
    case 'pass': {
      const before = question.counted ? pass : undefined;
      return seen.kind === 'event' && passNumber(seen.data.pass, before, question.rows) !== undefined;
    }
    case 'command':
      return textOf(queue.inOrder(from + question.number), question.tuning ?? tuning);
  }
}

export const textOf = (execution: Execution | undefined, tuning: Tuning): string =>
  execution === undefined ? '' : keyWith(execution, tuning);
