/** A requirement is one small object; a chapter is a list of them, laid out as the specification is. */
import type { Level } from '../oracle/run-events.js';
import type { Trial } from '../oracle/trial.js';
import type { TargetFacts } from '../targets/facts.js';
import type { Ability } from '../targets/target.js';

export interface Needs {
  /** What the target must be able to do as a target. */
  readonly abilities?: readonly Ability[];
  /** Commands that it must know (asked of `query-commands`, else of its schema). */
  readonly commands?: readonly string[];
  /** Members that a command's arguments must have, as `command.member`. */
  readonly members?: readonly string[];
  /** Migration capabilities that it must list. */
  readonly capabilities?: readonly string[];
  /** Migration parameters that it must show. */
  readonly parameters?: readonly string[];
  /** Known defects by which it ends the process of a release that has them: one that cannot be replaced is spared. */
  readonly deadly?: readonly string[];
  /** Any other reason why the requirement does not concern this target, in words; `undefined` when it does. */
  readonly unless?: (facts: TargetFacts) => string | undefined;
}

export interface Requirement {
  /** Row of the specification; a row with several tests adds a word: `QMP-ARG-06.boolean`. Unique. */
  readonly id: string;
  readonly level: Level;
  /** What must be so, as a sentence. */
  readonly title: string;
  /** File and section, for example `qmp-protocol.md §4`. */
  readonly spec: string;
  readonly needs?: Needs;
  /** Words to select by, besides id and chapter. */
  readonly tags?: readonly string[];
  /** Milliseconds for the whole run; default 20000. */
  readonly deadline?: number;
  /** It mostly waits, for a third of a second or more: it begins early, so that a run does not wait for it at its end. */
  readonly lasting?: boolean;
  readonly run: (trial: Trial) => Promise<void>;
}

export interface Chapter {
  /** Title, outermost first: `['qmp-protocol', '4 Command envelope']`. */
  readonly title: readonly string[];
  readonly requirements: readonly Requirement[];
}

type Draft = Omit<Requirement, 'id' | 'level' | 'title' | 'spec' | 'run'>;

/** Collects the requirements of one section of the specification. */
export class ChapterBuilder {
  private readonly requirements: Requirement[] = [];

  /** @param needs what every requirement of the chapter needs */
  constructor(
    private readonly title: readonly string[],
    private readonly spec: string,
    private readonly needs: Needs = {},
  ) {}

  must(id: string, title: string, run: Requirement['run'], more: Draft = {}): this {
    return this.add('MUST', id, title, run, more);
  }

  should(id: string, title: string, run: Requirement['run'], more: Draft = {}): this {
    return this.add('SHOULD', id, title, run, more);
  }

  info(id: string, title: string, run: Requirement['run'], more: Draft = {}): this {
    return this.add('INFO', id, title, run, more);
  }

  private add(level: Level, id: string, title: string, run: Requirement['run'], more: Draft): this {
    this.requirements.push({
      id,
      level,
      title,
      spec: this.spec,
      run,
      ...more,
      needs: merge(this.needs, more.needs ?? {}),
    });
    return this;
  }

  done(): Chapter {
    return { title: this.title, requirements: this.requirements };
  }
}

function merge(a: Needs, b: Needs): Needs {
  const both = (key: 'abilities' | 'commands' | 'members' | 'capabilities' | 'parameters' | 'deadly') => {
    const list = [...(a[key] ?? []), ...(b[key] ?? [])];
    return list.length === 0 ? {} : { [key]: list };
  };
  const unless =
    a.unless === undefined || b.unless === undefined
      ? (a.unless ?? b.unless)
      : (facts: TargetFacts) => a.unless?.(facts) ?? b.unless?.(facts);
  return {
    ...both('abilities'),
    ...both('commands'),
    ...both('members'),
    ...both('capabilities'),
    ...both('parameters'),
    ...both('deadly'),
    ...(unless === undefined ? {} : { unless }),
  };
}
