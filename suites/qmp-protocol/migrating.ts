/** A source and its destination, for the rows of qmp-protocol.md that need a migration to be looked at. */
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import type { Instance, StartOptions } from '../../targets/target.js';
import type { Needs } from '../requirement.js';
import { channel } from '../state-machine/source.js';

export interface Outgoing {
  readonly source: Session;
  readonly sourceInstance: Instance;
  /** Where the other end waits. */
  readonly uri: string;
}

export interface Pair extends Outgoing {
  readonly destination: Session;
}

export const pairNeeds: Needs = {
  abilities: ['start', 'incoming', 'local'],
  commands: ['migrate', 'query-migrate'],
  capabilities: ['events', 'pause-before-switchover'],
};

/** Both started, with capability `events` on. */
export async function migrationPair(
  t: Trial,
  options: { source?: StartOptions; destination?: StartOptions } = {},
): Promise<Pair> {
  const [sourceInstance, target] = await Promise.all([
    t.startForMigration(options.source ?? {}),
    t.start({ incoming: 'unix:in.sock', ...options.destination }, 'destination'),
  ]);
  const source = await t.session({ to: sourceInstance });
  const destination = await t.session({ to: target });
  await enable(t, source, ['events']);
  await enable(t, destination, ['events']);
  return { source, destination, sourceInstance, uri: `unix:${join(target.scratch, 'in.sock')}` };
}

/** A source alone, with a peer of ours that reads what it sends. */
export async function migrationSource(
  t: Trial,
  options: { source?: StartOptions; hold?: boolean } = {},
): Promise<Outgoing> {
  const sourceInstance = await t.startForMigration(options.source ?? {});
  const source = await t.session({ to: sourceInstance });
  await enable(t, source, ['events', ...(options.hold ? ['pause-before-switchover'] : [])]);
  const { uri } = await channel(t, sourceInstance, 'answer');
  return { source, sourceInstance, uri };
}

async function enable(t: Trial, session: Session, names: readonly string[]): Promise<void> {
  const capabilities = names.map((capability) => ({ capability, state: true }));
  t.succeeded(await session.command('migrate-set-capabilities', { capabilities }), `enabling ${names.join()}`);
}

/** The event MIGRATION with this status. */
export const reached = (session: Session, status: string, since = 0) =>
  session.event('MIGRATION', { since, test: (data) => data.status === status });

export async function runState(t: Trial, session: Session): Promise<string> {
  const value = t.succeeded(await session.command('query-status'));
  return isObject(value) ? String(value.status) : JSON.stringify(value);
}

/** Asks until the run state is one of these; each answer is an observation, the session's deadline bounds them. */
export async function settled(t: Trial, session: Session, ...states: readonly string[]): Promise<string> {
  const until = session.patience();
  for (;;) {
    const state = await runState(t, session);
    if (states.includes(state)) return state;
    if (until.passed)
      t.check(
        false,
        states.map((one) => `run state ${one}`),
        state,
      );
  }
}

/** Migrates to the end: the source is in `postmigrate`, not only `completed` (a gap in which releases crash). */
export async function migrateFully(t: Trial, { source, uri }: Outgoing): Promise<void> {
  t.succeeded(await source.command('migrate', { uri }), 'migrate');
  await reached(source, 'completed');
  await settled(t, source, 'postmigrate');
}

/** Migrates up to `pre-switchover`. */
export async function migrateHeld(t: Trial, { source, uri }: Outgoing): Promise<void> {
  t.succeeded(await source.command('migrate', { uri }), 'migrate');
  await reached(source, 'pre-switchover');
}
