/**
 * One requirement on one target: hands out instances and sessions, records the transcript, makes the checks, and cleans up.
 * A requirement sees nothing else.
 */

import type { Starved } from '../protocol/fair-time.js';
import { isReply, type Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import { Transcript } from '../protocol/transcript.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';
import { knowsStream, type TargetFacts } from '../targets/facts.js';
import { isOfGuest, isOurMachine } from '../targets/machine.js';
import type { Condition, InstancePool } from '../targets/pool.js';
import type { Ability, Instance, StartOptions } from '../targets/target.js';
import { Checks } from './checks.js';
import { conditionAfter, reusable } from './condition.js';
import { impossibleIn } from './conversation.js';
import { announcesLater, laterStatuses, type Statuses } from './later-statuses.js';
import type { Observation, Observations } from './observations.js';
import { defectsOfFacts } from './release.js';
import { defectOfStream, streamFault } from './stream-fault.js';
import { judgedOf } from './tracker/judged-events.js';

export interface TrialSettings {
  readonly facts: TargetFacts;
  readonly pool: InstancePool;
  /** Compare error descriptions too. */
  readonly strictDesc: boolean;
  /** Number from which everything random in the trial is drawn. */
  readonly seed: number;
  /** Nothing that has served before is used, and nothing that was seen before. */
  readonly fresh?: boolean;
  /** What requirements look at together; each looks for itself when absent. */
  readonly shared?: Observations;
}

/** Milliseconds from which on a clock was set, and not only adjusted. */
const clockStep = 20;

export class Trial extends Checks {
  readonly transcript: Transcript;
  /** An instance was used that had migrated before, or something was looked at together with others. */
  reused = false;
  /** Endpoints whose process had served before. */
  readonly served = new Set<string>();
  /** It looked at what was seen in another trial. */
  quotes = false;
  private readonly spoilt = new Set<Instance>();
  private readonly used = new Map<Instance, { name: string }>();
  private readonly sessions = new Map<Session, Instance>();
  private readonly heard: Session[] = [];
  private readonly releases: (() => Promise<void>)[] = [];
  private readonly rests: { readonly instance: Instance; readonly work: () => Promise<boolean> }[] = [];
  private plain: Promise<Instance> | undefined;
  private events: ReadonlySet<string> | undefined;
  private readonly later: Statuses;
  /** When the transcript began, by the clock of the epoch. */
  private readonly origin: number;

  constructor(private readonly settings: TrialSettings) {
    super();
    this.later = laterStatuses(settings.facts.schema, settings.facts.dialect);
    this.transcript = new Transcript({ target: settings.pool.target.name, dialect: settings.facts.dialect.name });
    this.origin = Date.now() - this.transcript.now();
  }

  get facts(): TargetFacts {
    return this.settings.facts;
  }

  /** Why the target has not this ability; `undefined` when it has. */
  lacks(ability: Ability): string | undefined {
    return this.settings.pool.target.lacks(ability);
  }

  get dialect(): Dialect {
    return this.settings.facts.dialect;
  }

  get seed(): number {
    return this.settings.seed;
  }

  /** Texts for people are compared too. */
  get strictDesc(): boolean {
    return this.settings.strictDesc;
  }

  /**
   * Clients ignore events that they do not know, and those of devices and the like come at any time: only those that a schema
   * has, and that tell of migrations and run states or of the monitor itself, can be unexpected.
   */
  private get knownEvents(): ReadonlySet<string> {
    this.events ??= judgedOf([this.facts.schema, loadSchema(this.dialect.name)]);
    return this.events;
  }

  // --- instances and sessions --------------------------------------------------------------------------------------

  /**
   * The plain instance of this trial, as a fresh one would be: idle, guest running, default parameters and capabilities.
   * It may have served other trials. The same one at each call.
   * @param condition the least that will do; default: nothing was ever migrated, nor anything else done that cannot be undone
   */
  instance(condition: Condition = 'new'): Promise<Instance> {
    this.plain ??= this.obtain({}, 'source', condition);
    return this.plain;
  }

  /**
   * An instance with these options that nobody else has, as a fresh one would be.
   * @param condition the least that will do
   */
  start(options: StartOptions = {}, name = 'source', condition: Condition = 'new'): Promise<Instance> {
    return this.obtain(options, name, condition);
  }

  /**
   * As {@link start}, but it may have migrated before, which `query-migrate` then tells: for what is about the migration to
   * come and not about an instance that has had none.
   */
  startForMigration(options: StartOptions = {}, name = 'source'): Promise<Instance> {
    return this.obtain(options, name, 'migrated');
  }

  private async obtain(options: StartOptions, name: string, condition: Condition): Promise<Instance> {
    const { pool, fresh } = this.settings;
    const again = reusable(options) && (!fresh || pool.target.lacks('start') !== undefined);
    const instance = again ? await pool.acquire(options, condition) : await pool.target.start(options);
    if ((pool.conditionOf(instance) ?? 'new') !== 'new') {
      this.reused = true;
      this.served.add(name);
    }
    this.used.set(instance, { name });
    instance.record(this.transcript, name);
    return instance;
  }

  /**
   * What `observe` sees of instances of its own: brought about once in a run for all who ask for it under the same key, and
   * for this trial alone where it cannot be shared. Its entries and checks become those of this trial.
   * @param alone the same for this trial only, where less needs to be looked at; default `observe`
   */
  async observed<T>(key: string, observe: (t: Trial) => Promise<T>, alone = observe): Promise<T> {
    const { fresh, shared } = this.settings;
    if (shared === undefined || fresh) return alone(this);
    this.reused = true;
    const seen = await shared.get(`${this.dialect.name} ${key}`, () => this.observation(observe));
    if (seen === undefined) return alone(this);
    this.quotes = true;
    const { accepted, transcript, value } = seen;
    // As if it had ended just now.
    const later = Math.max(0, this.transcript.now() - (transcript.entries.at(-1)?.time ?? 0));
    for (const { at, kind, text, time, before, stale = false } of transcript.entries) {
      this.transcript.add(at, kind, text, { time: time + later, before, stale });
    }
    this.checks += accepted.length;
    this.accepted.push(...accepted);
    return value;
  }

  /** Made in a trial of its own; `undefined` when something was wrong in it. */
  private async observation<T>(observe: (t: Trial) => Promise<T>): Promise<Observation<T> | undefined> {
    const trial = new Trial(this.settings);
    let value: { readonly is: T } | undefined;
    try {
      const is = await observe(trial);
      // Who only looks at what is told of it does not see the messages themselves.
      trial.conversed();
      value = { is };
    } catch {
      // Whoever looks alone finds it, and tells.
    }
    const { transcript, accepted, defect, instances } = trial;
    const sound = value !== undefined && defect === undefined && instances.every(({ exit }) => exit?.signal == null);
    await trial.finish(sound);
    return sound && value !== undefined ? { value: value.is, transcript, accepted } : undefined;
  }

  /** A connection whose greeting has been read; still in negotiation mode. Default: to the plain instance. */
  async connect(options: { to?: Instance; monitor?: number; condition?: Condition } = {}): Promise<Session> {
    const instance = options.to ?? (await this.instance(options.condition));
    const session = await instance.connect(options.monitor === undefined ? {} : { monitor: options.monitor });
    this.sessions.set(session, instance);
    await this.hears(session).greeting();
    return session;
  }

  /** A session of the trial's own making: it hears of what the others hear. */
  hears(session: Session): Session {
    this.heard.push(session);
    session.knownEvent = (name, { data }) =>
      this.knownEvents.has(name) && !announcesLater(name, data, this.later) && !isOfGuest(name, data, this.facts);
    return session;
  }

  /** A connection in command mode. */
  async session(
    options: { to?: Instance; monitor?: number; condition?: Condition; enable?: readonly string[] } = {},
  ): Promise<Session> {
    const instance = options.to ?? (await this.instance(options.condition));
    const former = options.enable === undefined && (options.monitor ?? 0) === 0 ? instance.resume?.() : undefined;
    const session = former ?? (await this.connect({ ...options, to: instance }));
    if (former !== undefined) this.sessions.set(this.hears(former), instance);
    const reply = former === undefined ? await session.negotiate(options.enable) : (session.log[1] as Received);
    this.succeeded(reply, 'qmp_capabilities');
    return session;
  }

  /** Something that is to be given back at the end of the trial, however it ends. */
  atEnd(release: () => Promise<void>): void {
    this.releases.push(release);
  }

  /**
   * How an instance, at the end of a trial that holds, is brought to where it can be put back. It is no part of the trial.
   * @param work false where that did not come about
   */
  atRest(instance: Instance, work: () => Promise<boolean>): void {
    this.rests.push({ instance, work });
  }

  /** What was done to it may show later in what nobody looks at: it does not serve again. */
  spoils(instance: Instance): void {
    this.spoilt.add(instance);
  }

  /** Every instance that the trial has used, for the control probe. */
  get instances(): readonly Instance[] {
    return [...this.used.keys()];
  }

  /** How long the processes of the trial had no processor: what is asked of a deadline for all of them. */
  readonly starved: Starved = () => this.instances.reduce((sum, { starved }) => sum + (starved?.() ?? 0), 0);

  // --- the end -------------------------------------------------------------------------------------------------------

  /** Every stream that came to a peer of ours is one that a destination can load. @throws Divergence */
  streamed(): void {
    const { facts } = this;
    if (!knowsStream(facts) || !isOurMachine(facts)) return;
    const why = streamFault(this.transcript)?.why;
    // What a release is known for is told by the requirements that are about it.
    if (why === undefined || defectOfStream(why, defectsOfFacts(facts)) !== undefined) return;
    throw this.divergence(['a stream that a destination can load'], why, 'in the stream');
  }

  /** Each conversation was one, whatever it was about. @throws Divergence */
  conversed(): void {
    const isOurs =
      this.lacks('local') === undefined && Math.abs(Date.now() - this.transcript.now() - this.origin) < clockStep;
    const origin = isOurs ? this.origin : undefined;
    const guestless = this.lacks('start') === undefined && isOurMachine(this.facts);
    for (const session of this.sessions.keys()) {
      const { expected, message } = impossibleIn(session, { ...this.facts, guestless }, this.heard, origin) ?? {};
      if (expected !== undefined) throw this.divergence([expected], message, 'in the conversation');
    }
  }

  /** Ends every connection: a monitor serves one client at a time, and the control probe is the next one. */
  disconnect(): void {
    for (const session of this.heard) session.close();
  }

  /** Gives everything back. `healthy`: the plain instance may serve again if it was left without a trace. */
  async finish(healthy: boolean): Promise<void> {
    if (healthy) await this.bringToRest();
    // One is left open to each instance, where it can serve to look at what the instance is like.
    const open = new Map<Instance, Session>();
    if (healthy) for (const [session, instance] of this.sessions) if (session.orderly) open.set(instance, session);
    for (const [session, instance] of this.sessions) if (open.get(instance) !== session) session.close();
    for (const release of this.releases.splice(0)) await release();
    for (const [instance, { name }] of this.used) {
      const session = open.get(instance);
      const again = healthy && !this.spoilt.has(instance);
      const condition = again ? await this.conditionOf(instance, name, session) : undefined;
      // Who comes next may go on with it.
      if (condition !== undefined && session?.endpoint === name && instance.keep !== undefined) instance.keep(session);
      else session?.close();
      // How it ends after the trial is not part of it.
      if (condition === undefined) instance.record(new Transcript(), name);
      await this.settings.pool.release(instance, condition);
    }
    this.used.clear();
  }

  private async bringToRest(): Promise<void> {
    for (const { instance, work } of this.rests) {
      if (instance.exit !== undefined || this.spoilt.has(instance)) continue;
      const unseen = new Transcript();
      instance.record(unseen, this.used.get(instance)?.name ?? 'source');
      for (const [session, of] of this.sessions) if (of === instance) session.transcript = unseen;
      if (!(await work().catch(() => false))) this.spoils(instance);
    }
  }

  private conditionOf(instance: Instance, name: string, session: Session | undefined): Promise<Condition | undefined> {
    const mine = [...this.sessions.keys()].filter(
      ({ endpoint }) => endpoint === name || endpoint.startsWith(`${name}#`),
    );
    const replies = mine.flatMap((one) => one.since(0)).filter(isReply);
    const { pool, facts } = this.settings;
    return conditionAfter(instance, { name, session, pool, facts, replies, transcript: this.transcript });
  }
}
