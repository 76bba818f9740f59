/** Whether an instance that served a trial is as it was before, and how to put it back. */
import { isObject, type JsonObject, parseJson, sameJson, stringifyJson } from '../protocol/json.js';
import type { Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import type { Transcript } from '../protocol/transcript.js';
import type { Condition } from '../targets/pool.js';
import { readSettings, type Settings, sameSettings } from '../targets/settings.js';
import type { Instance, StartOptions } from '../targets/target.js';

// Commands after which nothing is different.
const harmless = /^(query-.*|qmp_capabilities)$/;
// Commands after which only what `restore` looks at and puts back is different.
const restorable =
  /^(migrate-set-(parameters|capabilities|cache-size)|migrate_set_(speed|downtime)|migrate_cancel|migrate-continue|stop|cont|system_reset)$/;
// … after which a migration was tried as well.
const migrating = /^migrate$/;
// … or a postcopy, which may leave what lets the next migration hang when it was cut short (MIG-DEF-26).
const postcopy = /^migrate-start-postcopy$/;
// Capabilities with which a migration takes from the guest what it had, or does not end.
const taking = /release-ram|colo|background-snapshot/;

/**
 * What was sent to an instance could have changed nothing, only what can be put back, that and migrations, the same with a
 * postcopy among them, or anything.
 */
export type Traces = 'none' | 'restorable' | 'migrations' | 'postcopy' | 'any';

/**
 * Judges by what was sent to `endpoint` (and to its further monitors).
 * @param replies what was answered there: a command that is refused leaves no trace, or one that shows
 */
export function leavesTraces(transcript: Transcript, endpoint: string, replies: readonly Received[]): Traces {
  // One command may have been sent in several pieces.
  const sent = new Map<string, string>();
  for (const { kind, at, text } of transcript.entries) {
    if (kind !== 'sent' || (at !== endpoint && !at.startsWith(`${endpoint}#`))) continue;
    sent.set(at, `${sent.get(at) ?? ''}${text}`);
  }
  const refused = refusedIds(replies);
  let known = 0;
  let worst: Traces = 'none';
  let migrations: 'migrations' | 'postcopy' | undefined;
  let strange = false;
  for (const whole of sent.values()) {
    const lines = whole.split('\n');
    const taken = lines.filter((line) => !isRefused(line, refused));
    if (taken.length < lines.length) worst = 'restorable';
    const text = taken.join('\n');
    for (const match of text.matchAll(/["'](?:execute|exec-oob)["']\s*:\s*["']([^"']*)["']/g)) {
      const name = match[1] as string;
      if (harmless.test(name)) known++;
      else if (restorable.test(name)) {
        known++;
        worst = 'restorable';
      } else if (migrating.test(name)) migrations ??= 'migrations';
      else if (postcopy.test(name)) migrations = 'postcopy';
      else strange = true;
    }
    // Raw input may hide commands in escapes.
    if (/\\u00/.test(text) || (migrations !== undefined && taking.test(text))) strange = true;
  }
  if (!strange) return migrations ?? worst;
  return replies.filter(({ kind }) => kind === 'success').length <= known ? 'restorable' : 'any';
}

/** Ids that errors answer, and nothing else. */
function refusedIds(replies: readonly Received[]): ReadonlySet<string> {
  const ids = (wanted: boolean) =>
    replies.flatMap(({ kind, value }) =>
      (kind === 'failure') === wanted && isObject(value) && value.id !== undefined ? [stringifyJson(value.id)] : [],
    );
  const answered = new Set(ids(false));
  return new Set(ids(true).filter((id) => !answered.has(id)));
}

/** A line with one command, whose reply was an error. */
function isRefused(line: string, refused: ReadonlySet<string>): boolean {
  if (refused.size === 0 || line === '') return false;
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
  /** An orderly session to go on with, which is closed in the end; one more is made when absent. */
  readonly session?: Session;
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
  try {
    const session = options.session ?? (await instance.connect());
    try {
      if (options.session === undefined) await session.negotiate();
      return await putBack(session, wanted, instance.options, options);
    } finally {
      session.close();
    }
  } catch {
    return undefined;
  }
}

async function putBack(
  session: Session,
  wanted: Settings,
  options: StartOptions,
  { ends = outcomes, still = false }: RestoreOptions,
): Promise<Condition | undefined> {
  const runState = firstRunState(options);
  if (!still && (await settled(session)) === undefined) return undefined;
  // On a destination these decide, unseen, whether the guest will run once it is loaded (MIG-SM-I08).
  if (options.incoming !== undefined) session.post(options.paused ? 'stop' : 'cont');
  // The values one by one are tried twice: one may be refused only because of another that is put back after it
  // (MIG-CMD-SPAR-04).
  for (let round = 0; round < 4; round++) {
    // All at once: they are many, and most find that nothing is to be done.
    const [now, runs, outcome] = await Promise.all([
      readSettings(session),
      statusOf(session, 'query-status'),
      statusOf(session, 'query-migrate'),
    ]);
    if (now === undefined) return undefined;
    if (outcome !== 'none' && !ends.has(String(outcome))) return undefined;
    // A reset takes back that the guest has run, and not that a migration stopped it.
    if (outcome !== 'none' && runState === 'prelaunch') return undefined;
    if (runs === runState && sameSettings(now, wanted)) return outcome === 'none' ? 'new' : 'migrated';
    // What has been loaded cannot be taken back.
    if (runs !== runState && options.incoming !== undefined) return undefined;
    if (runs !== runState) letRun(session, options.paused === true, runs);
    const capabilities = wanted.capabilities.filter((one) => !now.capabilities.some((is) => sameJson(is, one)));
    if (capabilities.length > 0) session.post('migrate-set-capabilities', { capabilities });
    const others = Object.entries(wanted.parameters).filter(([name, value]) => {
      const is = now.parameters[name];
      return is === undefined || !sameJson(is, value);
    });
    // Later singly: one refusal must not keep the other settings from being put back.
    const commands = round === 0 && others.length > 0 ? [others] : others.map((one) => [one]);
    for (const some of commands) session.post('migrate-set-parameters', Object.fromEntries(some));
  }
  return undefined;
}

/** Brings the guest to where it was. A reset takes a stopped one back to where it has not run yet. */
function letRun(session: Session, paused: boolean, runs: unknown): void {
  if (!paused) session.post('cont');
  else if (runs === 'running') session.post('stop');
  if (paused) session.post('system_reset');
}

/**
 * The outcome of what was migrated, once the source has done all that it does at the end of it: a command in between has
 * crashed releases (MIG-DEF-15). `none` when nothing was.
 */
async function settled(session: Session): Promise<string | undefined> {
  const until = performance.now() + settling;
  for (let cancelled = false; performance.now() < until; ) {
    const status = await statusOf(session, 'query-migrate');
    if (status === 'none') return 'none';
    if (typeof status === 'string' && outcomes.has(status)) {
      const runs = await statusOf(session, 'query-status');
      if (status === 'completed' ? runs === 'postmigrate' || runs === 'running' : runs !== 'finish-migrate') {
        return status;
      }
    } else if (!endsSoon.has(status)) {
      return undefined;
    } else if (!cancelled) {
      cancelled = true;
      session.post('migrate_cancel');
    }
  }
  return undefined;
}

async function statusOf(session: Session, query: string): Promise<unknown> {
  const { value } = await session.command(query);
  const answer = isObject(value) && isObject(value.return) ? (value.return as JsonObject) : undefined;
  return answer === undefined ? undefined : (answer.status ?? 'none');
}
