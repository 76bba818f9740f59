/**
 * What a process shows in figures, held against all that its client did before: the value invariants of `query-migrate`
 * (commands.md §8.6), some of which hang on settings and on what happened earlier in the life of the process.
 */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import type { ModelState } from '../reference/model/index.js';
import { type Bounds, InfoInvariants, type InvariantBreach } from './invariants.js';
import type { Sent } from './tracker/sent.js';

/** Capabilities with which each page is still counted as sent once at least (MIG-CMD-INV-07). */
const countingCapabilities = new Set([
  'events',
  'return-path',
  'pause-before-switchover',
  'auto-converge',
  'late-block-activate',
  'release-ram',
  'zero-blocks',
]);
/** With it pages are sent and not counted. */
const isUncounted = (name: string): boolean => !countingCapabilities.has(name);
/** With either of them a migration may go over to postcopy. */
const mayBePostcopy = (name: string): boolean => name === 'postcopy-ram' || name === 'dirty-bitmaps';
const isZeroCopy = (name: string): boolean => name === 'zero-copy-send';
/** With it memory that is shared with the destination is no part of the migration. */
const leavesShared = (name: string): boolean => name === 'x-ignore-shared';
/** The capability under either of its names. */
const isMultifd = (name: string): boolean => name === 'multifd' || name === 'x-multifd';

export class Figures {
  private readonly info = new InfoInvariants();
  /** What `query-status` last showed. */
  private runState = '';
  /** Limits of the throttle that were in force at some moment of the present migration. */
  private limits: Bounds | undefined;
  /** The parameters that were last taken into them: most states share theirs. */
  private widened: Readonly<Record<string, unknown>> | undefined;
  /** No migration of this process can have had channels of multifd. */
  private withoutMultifd: boolean;
  /** … nor gone over to postcopy, nor been told to send pages without a copy. */
  private withoutPostcopy: boolean;
  private withoutZeroCopy: boolean;
  /** … nor sent pages that are not counted: the figures stay when what made them is switched off. */
  private countsPages: boolean;

  /**
   * When the process was told to begin what its figures are of, in milliseconds: not known of one that has not been seen from
   * its start, until it has begun another one.
   */
  private since: number | undefined;
  /** The last pass that it told of in the present migration. */
  private pass = 0;
  /** The same, 0 where a later one may have gone unheard. */
  private heard = 0;
  /** What it had been when each query was sent that is not answered yet: what comes with the answer may be newer than it. */
  private passesAsked: number[] = [];
  /** When it was told to begin its first one, as far as it was seen from its start. */
  private first: number | undefined;
  /** When it was told to begin another one, and has not answered with success. */
  private begins: number | undefined;
  /** Shared memory, or all of it, may have been left out of what is counted: the figures show what is set now. */
  private leavesOut = false;
  /** Some connection has been followed all the time. */
  private hearsAll = true;
  /** How often it was told to migrate. */
  private migrations = 0;

  /** @param fresh the process has been seen from its start */
  constructor(private fresh: boolean) {
    this.withoutMultifd = fresh;
    this.withoutPostcopy = fresh;
    this.withoutZeroCopy = fresh;
    this.countsPages = fresh;
  }

  /** Pages were asked for by a peer of ours, out of a postcopy: they may be counted. */
  asked(): void {
    this.withoutPostcopy = false;
  }

  /** Another transcript follows, whose times count from its own beginning. */
  carry(): void {
    this.fresh = false;
    this.first = undefined;
    this.since = undefined;
    this.begins = undefined;
    this.pass = 0;
    this.heard = 0;
    this.passesAsked = [];
  }

  /** The connection that was followed is no more: what is told from now on may go unheard. */
  unheard(): void {
    this.heard = 0;
    this.hearsAll = false;
  }

  /**
   * A command was sent, on whatever connection.
   * @param time milliseconds
   * @param states tells where the process may be; few commands ask
   */
  sent(sent: Sent, time: number, states: () => readonly ModelState[]): void {
    if (sent.kind !== 'modelled') return;
    const { name, args } = sent;
    if (name === 'query-migrate') this.passesAsked.push(this.pass);
    if (name === 'migrate') {
      this.migrations++;
      if (this.fresh) this.first ??= time;
      if (this.fresh) this.since ??= time;
      if (args.blk === true || args.inc === true) this.countsPages = false;
      // A resume goes on with the figures that there are.
      if (args.resume !== true) {
        this.begins ??= time;
        this.restart(states());
      }
    } else if (name === 'migrate-set-parameters') {
      const now = states();
      if ((args.mode ?? 'normal') !== 'normal') this.leavesOut = true;
      for (const { parameters } of now) this.widen(parameters);
      for (const { parameters } of now) this.widen({ ...parameters, ...args });
    } else if (name === 'migrate-set-capabilities') {
      if (switchesOn(args.capabilities, isMultifd)) this.withoutMultifd = false;
      if (switchesOn(args.capabilities, leavesShared)) this.leavesOut = true;
      if (switchesOn(args.capabilities, mayBePostcopy)) this.withoutPostcopy = false;
      if (switchesOn(args.capabilities, isZeroCopy)) this.withoutZeroCopy = false;
      if (switchesOn(args.capabilities, isUncounted)) this.countsPages = false;
    }
  }

  /** Something was told on the connection that is followed. */
  told(event: string, data: JsonObject): InvariantBreach | undefined {
    if (event !== 'MIGRATION_PASS') return undefined;
    const first = this.fresh && this.hearsAll && this.migrations === 1 && this.pass === 0;
    this.heard = Number(data.pass);
    this.pass = Math.max(this.pass, this.heard);
    if (!first || this.pass === 1) return undefined;
    return { row: 'MIG-CMD-EVT-04', expected: 'pass 1, the first one of all', got: `pass ${this.heard}` };
  }

  /** A command was answered with success on the connection that is followed. */
  answered(
    { name, args }: Extract<Sent, { kind: 'modelled' }>,
    value: JsonValue,
    time: number,
    states: () => readonly ModelState[],
  ): InvariantBreach | undefined {
    // Queries before it in the same write have been answered by now.
    if (name === 'migrate' && args.resume !== true) {
      this.since = this.begins;
      this.begins = undefined;
      this.restart(states());
    }
    if (name === 'query-status' && isObject(value)) this.runState = String(value.status);
    if (name !== 'query-migrate') return undefined;
    const pass = this.passesAsked.shift() ?? 0;
    for (const { parameters, capabilities } of states()) {
      this.widen(parameters);
      if (capabilities.some(isMultifd)) this.withoutMultifd = false;
      if (capabilities.some(mayBePostcopy)) this.withoutPostcopy = false;
      if (capabilities.some(isZeroCopy)) this.withoutZeroCopy = false;
      if (capabilities.some(isUncounted)) this.countsPages = false;
    }
    const [breach] = this.info.check(value, {
      settled: this.runState === 'postmigrate',
      countsPages: this.countsPages,
      firstEver: this.fresh && this.migrations === 1,
      withoutMultifd: this.withoutMultifd,
      withoutPostcopy: this.withoutPostcopy,
      withoutZeroCopy: this.withoutZeroCopy,
      totalHolds: !this.leavesOut,
      pass,
      heard: this.heard,
      age: this.since === undefined ? undefined : time - this.since,
      firstAge: this.first === undefined ? undefined : time - this.first,
      throttle: this.limits,
    });
    return breach;
  }

  /** What was shown before says nothing of the new migration. */
  private restart(states: readonly ModelState[]): void {
    this.info.restart();
    this.runState = '';
    this.pass = 0;
    this.heard = 0;
    this.passesAsked = this.passesAsked.map(() => 0);
    this.limits = undefined;
    this.widened = undefined;
    this.leavesOut = states.some(
      ({ parameters, capabilities }) => (parameters.mode ?? 'normal') !== 'normal' || capabilities.some(leavesShared),
    );
    for (const { parameters } of states) this.widen(parameters);
  }

  private widen(parameters: Readonly<Record<string, unknown>>): void {
    if (parameters === this.widened) return;
    this.widened = parameters;
    const initial = percent(parameters['cpu-throttle-initial'], 1n);
    const most = percent(parameters['max-cpu-throttle'], 99n);
    const { low = initial, high = most, crossed = false } = this.limits ?? {};
    this.limits = {
      low: initial < low ? initial : low,
      high: most > high ? most : high,
      crossed: crossed || initial > most,
    };
  }
}

const percent = (value: unknown, unknown: bigint): bigint =>
  typeof value === 'bigint' || typeof value === 'string' ? BigInt(value) : unknown;

const switchesOn = (list: unknown, wanted: (name: string) => boolean): boolean =>
  Array.isArray(list) && list.some((one) => isObject(one) && one.state === true && wanted(String(one.capability)));
