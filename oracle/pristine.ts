/** Whether an instance that served a trial is as it was before, and how to put it back. */
import { isObject, type JsonObject, type JsonValue, parseJson, sameJson, stringifyJson } from '../protocol/json.js';
import type { Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import type { Transcript } from '../protocol/transcript.js';
import type { Condition } from '../targets/pool.js';
import { readCapabilities, readParameters, type Settings } from '../targets/settings.js';
import type { Instance, StartOptions } from '../targets/target.js';
import { harmless, type Piece, refusedIds, sentLines, type Touched, touchedBy } from './touched.js';

// Commands after which only what `restore` looks at and puts back is different.
const restorable =
  /^(migrate-set-(parameters|capabilities|cache-size)|migrate_set_(speed|downtime)|migrate_cancel|migrate-continue|stop|cont|system_reset)$/;
// … after which a migration was tried as well.
const migrating = /^migrate$/;
// … or a postcopy, which may leave what lets the next migration hang when it was cut short (MIG-DEF-26).
const postcopy = /^migrate-start-postcopy$/;
// … which this only interrupts where there is one.
const pausing = /^migrate-pause$/;
// Capabilities with a way back from the destination: a 7.2 opens it in the next migration, too, when this one failed.
const returning = /["'](return-path|postcopy-ram)["']/;
// Capabilities with which a migration takes from the guest what it had, or does not end.
const taking = /release-ram|colo|background-snapshot/;

/**
 * What was sent to an instance could have changed nothing, only what can be put back, that and migrations, the same with a
 * postcopy or a return path among them, or anything.
 */
export type Traces = 'none' | 'restorable' | 'migrations' | 'postcopy' | 'any';

/** What a trial did to an instance; `touched`: which pieces of it may be different, where that is known. */
export interface Left {
  readonly traces: Traces;
  readonly touched: Touched | undefined;
}

/**
 * Judges by what was sent to `endpoint` (and to its further monitors).
 * @param replies what was answered there: a command that is refused leaves no trace, or one that shows
 */
export function leftBehind(transcript: Transcript, endpoint: string, replies: readonly Received[]): Left {
  const lines = sentLines(transcript, endpoint);
  const refused = refusedIds(replies);
  const traces = tracesOf(lines, refused, replies);
  return { traces, touched: traces === 'any' ? undefined : touchedBy(lines, refused) };
}

function tracesOf(lines: readonly string[], refused: ReadonlySet<string>, replies: readonly Received[]): Traces {
  const taken = lines.filter((line) => !isRefused(line, refused));
  let worst: Traces = taken.length < lines.length ? 'restorable' : 'none';
  const text = taken.join('\n');
  let known = 0;
  let migrations: 'migrations' | 'postcopy' | undefined;
  let strange = false;
  for (const match of text.matchAll(/["'](?:execute|exec-oob)["']\s*:\s*["']([^"']*)["']/g)) {
    const name = match[1] as string;
    if (harmless.test(name)) known++;
    else if (restorable.test(name)) {
      known++;
      worst = 'restorable';
    } else if (migrating.test(name)) migrations ??= 'migrations';
    else if (postcopy.test(name) || (pausing.test(name) && migrations !== undefined)) migrations = 'postcopy';
    else strange = true;
  }
  if (migrations !== undefined && returning.test(text)) migrations = 'postcopy';
  // Raw input may hide commands in escapes.
  if (/\\u00/.test(text) || (migrations !== undefined && taking.test(text))) strange = true;
  // Also one that is refused decides what the capabilities can be from then on.
  if (lines.some((line) => /["']migrate-incoming["']/.test(line))) return 'any';
  if (!strange) return migrations ?? worst;
  return replies.filter(({ kind }) => kind === 'success').length <= known ? 'restorable' : 'any';
}

/** A line with one command, whose reply was an error. */
function isRefused(line: string, refused: ReadonlySet<string>): boolean {
  if (refused.size === 0) return false;
  try {
    const value = parseJson(line);
    if (!isObject(value) || value.id === undefined) return false;
    return refused.has(stringifyJson(value.id));
  } catch {
    return false;
  }
}

/** Run state of an instance that has just been started so. */
function firstRunState({ paused, incoming }: StartOptions): string {
  if (incoming !== undefined) return 'inmigrate';
  return paused ? 'prelaunch' : 'running';
}

const everything: readonly Piece[] = ['parameters', 'capabilities', 'run state', 'outcome'];

/** Outcomes of a migration after which another one may begin. */
const outcomes: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** States that a cancel, or a peer that is gone, ends. */
const endsSoon: ReadonlySet<unknown> = new Set(['setup', 'active', 'device', 'pre-switchover', 'cancelling']);

/** Milliseconds in which what a trial has left running must come to its end: its peers are gone already. */
const settling = 400;

export interface RestoreOptions {
  /** Outcomes of a migration after which it may serve again. Default: all. */
  readonly ends?: ReadonlySet<string>;
  /** No migration was begun, so that none has to come to its end first. */
  readonly still?: boolean;
  /** An orderly session to go on with; one is made, and closed in the end, when absent. */
  readonly session?: Session;
  /** What alone may be different: nothing else is put back or asked for. Default: anything may be. */
  readonly touched?: Touched | undefined;
  /** Names of settings whose putting back was answered with success and was then seen: it is believed from then on. */
  readonly believed?: Set<string>;
}

/**
 * Puts the settings back to those that the target shows when it is new, and lets the guest run if it did; what the instance
 * is like then, or `undefined` when it is not what it was.
 */
export async function restore(
  instance: Instance,
  wanted: Settings,
  options: RestoreOptions = {},
): Promise<Condition | undefined> {
  if (instance.exit !== undefined) return undefined;
  let own: Session | undefined;
  try {
    if (options.session !== undefined) return await putBack(options.session, wanted, instance.options, options);
    own = await instance.connect();
    await own.negotiate();
    return await putBack(own, wanted, instance.options, options);
  } catch {
    return undefined;
  } finally {
    own?.close();
  }
}

async function putBack(
  session: Session,
  wanted: Settings,
  options: StartOptions,
  { ends = outcomes, still = false, touched, believed = new Set() }: RestoreOptions,
): Promise<Condition | undefined> {
  const runState = firstRunState(options);
  const asked = new Set<Piece>(touched?.pieces ?? everything);
  let outcome: unknown = 'none';
  if (!still) {
    const end = await settled(session);
    if (end === undefined || (end.status !== 'none' && !ends.has(end.status))) return undefined;
    outcome = end.status;
    asked.delete('outcome');
    if (end.runs === runState) asked.delete('run state');
    else if (end.runs !== undefined && !letRun(session, options, end.runs)) return undefined;
  }
  // On a destination these decide, unseen, whether the guest will run once it is loaded (MIG-SM-I08).
  if (options.incoming !== undefined && touched?.pieces.has('run state') !== false) {
    session.post(options.paused ? 'stop' : 'cont');
  }
  // What is known to be different is put back before it is asked for. Where that is all that can be, and the target is known
  // to do what it says, it need not be asked for.
  const said = await putBackKnown(session, wanted, touched);
  for (const { piece, names } of said) if (names.every((one) => believed.has(one))) asked.delete(piece);
  // The values one by one are tried twice: one may be refused only because of another that is put back after it
  // (MIG-CMD-SPAR-04).
  for (let round = 0; round < 4; round++) {
    const now = await look(session, asked);
    if (now === undefined) return undefined;
    outcome = now.outcome ?? outcome;
    if (outcome !== 'none' && !ends.has(String(outcome))) return undefined;
    const { runs = runState } = now;
    const capabilities = now.capabilities === undefined ? [] : others(now.capabilities, wanted.capabilities);
    const parameters = now.parameters === undefined ? [] : differing(now.parameters, wanted.parameters);
    if (runs === runState && sameAs(now, wanted)) {
      if (round === 0) for (const one of said.flatMap(({ names }) => names)) believed.add(one);
      return outcome === 'none' ? 'new' : 'migrated';
    }
    if (runs !== runState && !letRun(session, options, runs)) return undefined;
    // Later singly: one refusal must not keep the other settings from being put back.
    set(session, capabilities, round === 0 ? [parameters] : parameters.map((one) => [one]));
  }
  return undefined;
}

/** A piece that the target says to have put back, and the settings in it that were different. */
interface SaidBack {
  readonly piece: Piece;
  readonly names: readonly string[];
}

/**
 * Puts back what is known to be different.
 * @returns the pieces of which that is known to be all, where the answer was a success
 */
async function putBackKnown(session: Session, wanted: Settings, touched: Touched | undefined): Promise<SaidBack[]> {
  if (touched === undefined) return [];
  const capabilities = wanted.capabilities.filter(
    (one) => isObject(one) && touched.capabilities.has(String(one.capability)),
  );
  const parameters = Object.entries(wanted.parameters).filter(([name]) => touched.parameters.has(name));
  const whole = {
    capabilities: capabilities.length === touched.capabilities.size,
    parameters: parameters.length === touched.parameters.size,
  };
  const ids = {
    capabilities: capabilities.length === 0 ? undefined : session.post('migrate-set-capabilities', { capabilities }),
    parameters:
      parameters.length === 0 ? undefined : session.post('migrate-set-parameters', Object.fromEntries(parameters)),
  };
  const said: SaidBack[] = [];
  for (const piece of ['capabilities', 'parameters'] as const) {
    if (!whole[piece] || touched.doubtful.has(piece)) continue;
    const id = ids[piece];
    if (id === undefined || (await session.reply(id)).kind === 'success')
      said.push({ piece, names: [...touched[piece]] });
  }
  return said;
}

type Parameter = readonly [name: string, value: JsonValue];

function set(
  session: Session,
  capabilities: readonly JsonValue[],
  parameters: readonly (readonly Parameter[])[],
): void {
  if (capabilities.length > 0) session.post('migrate-set-capabilities', { capabilities });
  for (const some of parameters) {
    if (some.length > 0) session.post('migrate-set-parameters', Object.fromEntries(some));
  }
}

/** What an instance shows; what was not asked for is absent. */
interface Shown extends Partial<Settings> {
  readonly runs?: unknown;
  readonly outcome?: unknown;
}

/** Asks for all of it at once: most find that nothing is to be done. `undefined` when it does not answer as it should. */
async function look(session: Session, pieces: ReadonlySet<Piece>): Promise<Shown | undefined> {
  const ask = <T>(piece: Piece, one: () => Promise<T>) => (pieces.has(piece) ? one() : undefined);
  const [parameters, capabilities, runs, outcome] = await Promise.all([
    ask('parameters', () => readParameters(session)),
    ask('capabilities', () => readCapabilities(session)),
    ask('run state', () => statusOf(session, 'query-status')),
    ask('outcome', () => statusOf(session, 'query-migrate')),
  ]);
  if (pieces.has('parameters') && parameters === undefined) return undefined;
  if (pieces.has('capabilities') && capabilities === undefined) return undefined;
  return {
    ...(parameters === undefined ? {} : { parameters }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(pieces.has('run state') ? { runs: runs ?? 'unknown' } : {}),
    ...(pieces.has('outcome') ? { outcome: outcome ?? 'unknown' } : {}),
  };
}

/** What was asked for is what it was. */
const sameAs = ({ parameters, capabilities }: Shown, wanted: Settings): boolean =>
  (parameters === undefined || sameJson(parameters, wanted.parameters)) &&
  (capabilities === undefined || sameJson(capabilities, wanted.capabilities));

/** Those of `wanted` that are not among `now`. */
const others = (now: readonly JsonValue[], wanted: readonly JsonValue[]): JsonValue[] =>
  wanted.filter((one) => !now.some((is) => sameJson(is, one)));

/** Those of `wanted` that have another value in `now`, or none. */
const differing = (now: JsonObject, wanted: JsonObject): Parameter[] =>
  Object.entries(wanted).filter(([name, value]) => {
    const is = now[name];
    return is === undefined || !sameJson(is, value);
  });

/**
 * Brings the guest to where it was. A reset takes a stopped one back to where it has not run yet; one that a migration has
 * stopped must have run before. What has been loaded cannot be taken back. False when it cannot be done.
 */
function letRun(session: Session, { incoming, paused = false }: StartOptions, runs: unknown): boolean {
  if (incoming !== undefined) return false;
  if (!paused || runs === 'postmigrate') session.post('cont');
  if (paused && (runs === 'postmigrate' || runs === 'running')) session.post('stop');
  if (paused) session.post('system_reset');
  return true;
}

/**
 * The outcome of what was migrated, and the run state, once the source has done all that it does at the end of it: a command in
 * between has crashed releases (MIG-DEF-15). `none` when nothing was.
 */
async function settled(session: Session): Promise<{ status: string; runs?: unknown } | undefined> {
  const until = performance.now() + settling;
  for (let cancelled = false, pause = 1; performance.now() < until; pause = Math.min(16, 2 * pause)) {
    const status = await statusOf(session, 'query-migrate');
    if (status === 'none') return { status };
    if (typeof status === 'string' && outcomes.has(status)) {
      const [runs, held] = await Promise.all([statusOf(session, 'query-status'), holdsChannel(session)]);
      const ended = status === 'completed' ? runs === 'postmigrate' || runs === 'running' : runs !== 'finish-migrate';
      if (ended && !held) return { status, runs };
    } else if (!endsSoon.has(status)) {
      return undefined;
    } else if (!cancelled) {
      cancelled = true;
      session.post('migrate_cancel');
    }
    // Nothing tells of it where events are off, and whoever asks on and on keeps it from coming to its end.
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return undefined;
}

/** Some releases refuse another migration until they have let go of the channel of the last one ("duplicate yank instance"). */
async function holdsChannel(session: Session): Promise<boolean> {
  const { value } = await session.command('query-yank');
  const listed = isObject(value) && Array.isArray(value.return) ? value.return : [];
  return listed.some((one) => isObject(one) && one.type === 'migration');
}

async function statusOf(session: Session, query: string): Promise<unknown> {
  const { value } = await session.command(query);
  const answer = isObject(value) && isObject(value.return) ? (value.return as JsonObject) : undefined;
  return answer === undefined ? undefined : (answer.status ?? 'none');
}
