/** What a client can see of the migration state of an idle monitor, and the check that something left it alone. */
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import type { Condition } from '../../targets/pool.js';

const questions = ['query-migrate', 'query-migrate-parameters', 'query-migrate-capabilities', 'query-status'] as const;

/** The answers to every query about migration, asked in one go. */
export async function look(t: Trial, session: Session): Promise<Readonly<Record<string, JsonValue>>> {
  const seen: Record<string, JsonValue> = {};
  const since = session.mark();
  const ids = questions.map((name) => session.post(name));
  for (const [i, name] of questions.entries()) {
    const value = t.succeeded(await session.reply(ids[i] as JsonValue, { since, command: name }), name);
    seen[name] = name === 'query-migrate' ? withoutTransferred(value) : value;
  }
  return seen;
}

/** Later releases count there whatever devices are written to anywhere, also long after a migration. */
function withoutTransferred(info: JsonValue): JsonValue {
  if (!isObject(info) || !isObject(info.ram)) return info;
  const { transferred: _, ...ram } = info.ram;
  return { ...info, ram };
}

/** `work` emits nothing and leaves every query with the same answer. */
export async function unchanged(t: Trial, session: Session, step: string, work: () => Promise<void>): Promise<void> {
  const before = await look(t, session);
  const mark = session.mark();
  await work();
  const events = (await session.fence(mark)).filter((message) => message.kind === 'event');
  t.silent(events, `${step}: events`);
  const after = await look(t, session);
  for (const name of questions) t.same(after[name], before[name], `${step}: ${name} afterwards`);
}

/** The names of the events are exactly one of the permitted lists (written as {@link Trial.eventNames} writes them). */
export function eventsAre(t: Trial, got: readonly string[], permitted: readonly (readonly string[])[], step: string) {
  const words = (names: readonly string[]) => names.join(' ') || 'no event';
  t.check(
    permitted.some((names) => words(names) === words(got)),
    permitted.map(words),
    words(got),
    step,
  );
}

/**
 * A session on the plain instance with the capability `events` on: what changes a state then shows itself.
 * @param condition the least that will do
 */
export async function eventful(t: Trial, condition: Condition = 'new'): Promise<Session> {
  const session = await t.session({ condition });
  await switchOn(t, session, 'events');
  return session;
}

/** Switches capabilities on. */
export async function switchOn(t: Trial, session: Session, ...names: readonly string[]): Promise<void> {
  const capabilities = names.map((capability) => ({ capability, state: true }));
  t.succeeded(await session.command('migrate-set-capabilities', { capabilities }), `switching on ${names.join(', ')}`);
}

/**
 * Asks the same question until the answer satisfies `holds`, and returns that answer. For what no event announces.
 * @throws DeadlinePassed
 */
export async function becomes(
  t: Trial,
  session: Session,
  query: string,
  words: string,
  holds: (answer: JsonObject) => boolean,
  deadline?: number,
): Promise<JsonObject> {
  const until = session.patience(deadline);
  for (let pause = 1; ; pause = Math.min(16, 2 * pause)) {
    const answer = t.succeeded(await session.command(query), query);
    if (isObject(answer) && holds(answer)) return answer;
    // Nothing tells of it, and whoever asks on and on keeps the monitor from doing it.
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (until.passed) throw new DeadlinePassed(`${query} to say ${words}`, until.length);
  }
}

export const migrationBecomes = (t: Trial, session: Session, status: string): Promise<JsonObject> =>
  becomes(t, session, 'query-migrate', status, (answer) => answer.status === status);

/** The run state, and the flag beside it as it has to be (QMP-BASE-06). */
export async function runStateBecomes(
  t: Trial,
  session: Session,
  status: string,
  deadline?: number,
): Promise<JsonObject> {
  const answer = await becomes(t, session, 'query-status', status, (one) => one.status === status, deadline);
  t.same(answer.running, status === 'running', `running in ${status}`);
  return answer;
}
