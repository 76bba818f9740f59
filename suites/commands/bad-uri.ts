/** URIs that cannot be used, and what `migrate` shows of them (commands.md §9.3, state-machine.md §10.1). */
import { withoutExtensions } from '../../oracle/members-beyond.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { fitsExactly } from './dialect-fit.js';
import { eventsAre, look } from './observe.js';

/** Why a URI cannot be used, which decides when a monitor notices it. */
export type Fault =
  /** No transport has that name. */
  | 'scheme'
  /** The transport is known, its address cannot be read. */
  | 'address'
  /** The address can be read, what it names is not there. */
  | 'object';

/**
 * Starts a migration to a URI that is refused at once, and checks the reply, the events and the state that remains.
 * The session must have `events` on; its state must be `none` or `failed`.
 */
export async function refusedUri(
  t: Trial,
  session: Session,
  uri: string,
  fault: Fault,
  desc: string | readonly string[],
): Promise<void> {
  const { badUri } = t.dialect.migration;
  const before = await look(t, session);
  const mark = session.mark();
  const reply = await session.command('migrate', { uri });
  t.failed(reply, 'GenericError', desc, uri);
  const messages = await session.fence(mark);
  const [shown, more] = [t.eventNames(messages.filter(({ index }) => index < reply.index)), messages.slice(-1)];
  t.check(more[0]?.index === reply.index, 'nothing after the reply', more[0], uri);
  const after = await look(t, session);
  for (const name of ['query-migrate-parameters', 'query-migrate-capabilities', 'query-status']) {
    t.same(after[name], before[name], `${uri}: ${name}`);
  }
  const announced = ['MIGRATION(setup)', 'MIGRATION(failed)'];
  const untouched = shown.length === 0;
  if (!fitsExactly(t.facts)) eventsAre(t, shown, [announced, []], uri);
  else eventsAre(t, shown, [badUri === 'first' && fault !== 'object' ? [] : announced], uri);
  const info = withoutExtensions(t.facts.schema, 'query-migrate', after['query-migrate'] ?? null);
  if (untouched) t.same(after['query-migrate'], before['query-migrate'], `${uri}: query-migrate`);
  else t.same(info, failedWith(fault === 'scheme' ? undefined : descOf(reply.value)), `${uri}: query-migrate`);
}

const descOf = (reply: unknown): string => (isObject(reply) && isObject(reply.error) ? String(reply.error.desc) : '');

/** `query-migrate` after a failure: the text is there when it belongs to the connection (MIG-DOC-06). */
const failedWith = (desc: string | undefined): JsonObject =>
  desc === undefined ? { status: 'failed' } : { status: 'failed', 'error-desc': desc };
