/**
 * What a monitor said, in the notation of state-machine.md: an event MIGRATION by its status, `P` for a pass, `S` and `R`
 * for STOP and RESUME, `↵command` for a success reply, `✗command` for an error. Replies to queries are left out.
 */
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, parseJson, stringifyJson } from '../../protocol/json.js';
import { eventName, isReply, type Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import { fitsExactly } from '../commands/dialect-fit.js';

const short: Readonly<Record<string, string>> = { MIGRATION_PASS: 'P', STOP: 'S', RESUME: 'R' };

/** The story since a mark: everything that is here when a fence comes back. */
export async function story(t: Trial, session: Session, mark = 0): Promise<string[]> {
  return told(t, session, await session.fence(mark));
}

/** The story as far as it has come, for a monitor that cannot be asked any more. */
export const storySoFar = (t: Trial, session: Session, mark = 0): string[] => told(t, session, session.since(mark));

function told(t: Trial, session: Session, messages: readonly Received[]): string[] {
  const names = commandNames(t, session);
  return messages.flatMap((message) => {
    const name = eventName(message);
    const value = message.value as JsonObject;
    if (name === 'MIGRATION' && isObject(value.data)) return [String(value.data.status)];
    if (name !== undefined) return [short[name] ?? name];
    if (!isReply(message) || value.id === undefined) return [];
    const command = names.get(stringifyJson(value.id));
    if (command === undefined || /^(query-|qmp_|migrate-set-)/.test(command)) return [];
    return [`${message.kind === 'success' ? '↵' : '✗'}${command}`];
  });
}

/** Which command each id was sent with. */
function commandNames(t: Trial, session: Session): Map<string, string> {
  const names = new Map<string, string>();
  for (const { at, kind, text } of t.transcript.entries) {
    if (at !== session.endpoint || kind !== 'sent') continue;
    for (const line of text.split('\n')) {
      const sent = line === '' ? undefined : parseJson(line);
      if (!isObject(sent) || sent.id === undefined) continue;
      names.set(stringifyJson(sent.id), String(sent.execute ?? sent['exec-oob']));
    }
  }
  return names;
}

/** Only the events of a story: where replies may stand anywhere. */
export const eventsOf = (words: readonly string[]): string[] => words.filter((word) => !/^[↵✗]/.test(word));

/**
 * The story is as one of the plots has it. A plot is a line of words; `word?` may be missing, `word*` may come any number
 * of times, `a|b` is either of them.
 */
export function tells(t: Trial, words: readonly string[], plots: string | readonly string[], step?: string): void {
  const permitted = (typeof plots === 'string' ? [plots] : plots).map((plot) => asTold(t, plot));
  const text = words.map((word) => `${word} `).join('');
  t.check(
    permitted.some((plot) => plotPattern(plot).test(text)),
    permitted.map((plot) => plot.replace(/\s+/g, ' ').trim() || 'nothing'),
    text.trim() || 'nothing',
    step,
  );
}

/** A plot of the baseline in the words of the target's dialect. */
function asTold({ dialect: { migration } }: Trial, plot: string): string {
  const passes = migration.passesTold === 'every' ? plot : plot.replace(/(?<![^\s])P[?*]?(?![^\s])/g, 'P*');
  return migration.failedSwitchover === 'failed-first'
    ? passes
    : passes.replace(/\bfailed (R\??)(?![^\s])/g, '$1 failed');
}

function plotPattern(plot: string): RegExp {
  const parts = plot
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const [, names = '', count = ''] = /^(.*?)([?*+]?)$/.exec(word) ?? [];
      return `(?:(?:${names}) )${count}`;
    });
  return new RegExp(`^${parts.join('')}$`);
}

/** One word of the story comes before another one. */
export function precedes(t: Trial, words: readonly string[], first: string, second: string): void {
  const [a, b] = [words.indexOf(first), words.indexOf(second)];
  t.check(a >= 0 && b >= 0 && a < b, `${first} before ${second}`, words.join(' '));
}

/** The word `device` of a plot, where the switch-over of a release passes through that state. */
export function device(t: Trial): string {
  if (!fitsExactly(t.facts)) return 'device?';
  return t.dialect.migration.deviceAlways ? 'device' : '';
}

/** Pass numbers of the events since a mark. */
export function passNumbers(messages: readonly Received[]): number[] {
  return messages.flatMap((message) => {
    if (eventName(message) !== 'MIGRATION_PASS') return [];
    const { data } = message.value as JsonObject;
    return [isObject(data) && typeof data.pass === 'number' ? data.pass : Number.NaN];
  });
}

/** Passes of a first migration count up by one, from 1 where every one is told. */
export function passesCount(t: Trial, numbers: readonly number[]): void {
  const every = t.dialect.migration.passesTold === 'every';
  const first = every ? 1 : (numbers[0] ?? 0);
  t.same(
    [...numbers],
    numbers.map((_number, i) => first + i),
    'pass numbers of a first migration',
  );
  const least = every ? 2 : 1;
  t.check(numbers.length >= least, `at least ${least} passes`, `${numbers.length}`);
}
