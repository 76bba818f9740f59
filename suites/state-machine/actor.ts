/** A monitor that takes part in a migration, and what it says of itself. */
import type { Trial } from '../../oracle/trial.js';
import type { JsonObject } from '../../protocol/json.js';
import { eventName, type Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import type { Instance } from '../../targets/target.js';
import { runStateBecomes } from '../commands/observe.js';
import { figuresHold } from '../commands/ram-figures.js';
import { eventsOf, story, tells } from './story.js';

export class Actor {
  private from: number;

  constructor(
    protected readonly t: Trial,
    readonly instance: Instance,
    readonly session: Session,
  ) {
    this.from = session.mark();
  }

  /** A command that must succeed with an empty object. */
  async does(execute: string, args?: JsonObject): Promise<void> {
    const value = this.t.succeeded(await this.session.command(execute, args), execute);
    this.t.equal(value, {}, execute);
  }

  /** Waits for the event MIGRATION with one of these states. */
  until(...states: readonly string[]): Promise<string> {
    return this.untilWithin(undefined, ...states);
  }

  /** As {@link until}, with a deadline of its own in milliseconds. */
  async untilWithin(deadline: number | undefined, ...states: readonly string[]): Promise<string> {
    const find = () => this.session.since(this.from).find((message) => isStatus(message, states));
    return statusOf(await this.session.until(`event MIGRATION ${states.join(' or ')}`, find, deadline)) as string;
  }

  /** Waits for the run state. What a source does at the end of a migration is over when it has the right one. */
  async runs(state: string): Promise<void> {
    await runStateBecomes(this.t, this.session, state);
  }

  /** The status that `query-migrate` says now. */
  async status(): Promise<string> {
    return String((await this.info()).status ?? 'none');
  }

  /** What `query-migrate` says now. */
  async info(): Promise<JsonObject> {
    const info = this.t.succeeded(await this.session.command('query-migrate'), 'query-migrate') as JsonObject;
    this.looksAt(info);
    return info;
  }

  /** `query-migrate` says one of these, and what it shows beside it is such as it can be. */
  async statusIs(...states: readonly string[]): Promise<void> {
    const info = await this.info();
    const status = String(info.status ?? 'none');
    this.t.check(states.includes(status), states, status, 'status');
  }

  /** What can be said of the rest of `query-migrate` in any state. */
  protected looksAt(info: JsonObject): void {
    figuresHold(this.t, info);
  }

  async runStateIs(...states: readonly string[]): Promise<void> {
    const answer = this.t.succeeded(await this.session.command('query-status'), 'query-status') as JsonObject;
    this.t.check(states.includes(String(answer.status)), states, String(answer.status), 'run state');
  }

  /** The story since the last {@link turn}. */
  story(): Promise<string[]> {
    return story(this.t, this.session, this.from);
  }

  /** The story is one of the plots, replies included. */
  async tells(plots: string | readonly string[], step?: string): Promise<void> {
    tells(this.t, await this.story(), plots, step);
  }

  /** The events of the story are one of the plots. */
  async emits(plots: string | readonly string[], step?: string): Promise<void> {
    tells(this.t, eventsOf(await this.story()), plots, step);
  }

  /** Begins a new chapter: what was said so far is not told again. */
  turn(): void {
    this.from = this.session.mark();
  }

  /** Position in the log from which the story is told. */
  get mark(): number {
    return this.from;
  }

  /** Messages since the last turn. */
  get messages(): readonly Received[] {
    return this.session.since(this.from);
  }
}

const statusOf = (message: Received): string | undefined => {
  if (eventName(message) !== 'MIGRATION') return undefined;
  return String(((message.value as JsonObject).data as JsonObject | undefined)?.status);
};
const isStatus = (message: Received, states: readonly string[]): boolean => states.includes(statusOf(message) ?? '');
