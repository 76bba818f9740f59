import type { MigrationRules } from '../dialects/migration.js';
import type { ErrorClass } from '../migration/host.js';
import type { Change } from './change.js';
import type { ReplyValue } from './output.js';
import { type Alternative, outcome } from './row.js';
import type { ModelState } from './state.js';

/** A command whose arguments have passed the schema's checks; integers are bigint. */
export interface Command {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** One command as a client would see it in one state: guards in order, then what may happen. */
export type CommandRule = (call: Call) => Alternative[];

/** Everything that a command's rule looks at, and short ways to say its outcome. */
export class Call {
  constructor(
    readonly state: ModelState,
    readonly args: Readonly<Record<string, unknown>>,
    readonly rules: MigrationRules,
  ) {}

  /** `↵ error` and nothing else. */
  refuse(ids: string, desc: string, errorClass: ErrorClass = 'GenericError'): Alternative[] {
    return [outcome(ids, 'refused', this.state, (change) => change.refuse(desc, errorClass))];
  }

  /** `↵ {}` or a value, and nothing else. */
  answer(ids: string, value?: ReplyValue): Alternative[] {
    return [outcome(ids, 'answered', this.state, (change) => change.reply(value))];
  }

  /** One alternative. */
  may(ids: string, label: string, effect: (change: Change) => Change): Alternative {
    return outcome(ids, label, this.state, effect);
  }
}
