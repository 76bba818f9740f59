/** Sources in postcopy, with a peer of ours as the destination. */
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import { eventName } from '../../protocol/message.js';
import type { PeerBehaviour } from '../../targets/scenario.js';
import { fitsExactly } from '../commands/dialect-fit.js';
import { peerNeeds, type Source, type SourceOptions, slow, source } from './source.js';

export const postcopyNeeds = {
  ...peerNeeds,
  capabilities: ['postcopy-ram'],
  commands: ['migrate-start-postcopy'],
  parameters: ['max-postcopy-bandwidth'],
} as const;

export const pauseNeeds = { commands: ['migrate-pause'], members: ['migrate.resume'] } as const;

/** Both bandwidths low: neither half of the migration ends by itself while a test looks at it. */
const held = { 'max-bandwidth': slow, 'max-postcopy-bandwidth': slow } as const;

/** A source that is set up for postcopy and has not begun. */
export async function postcopySource(t: Trial, behaviour: PeerBehaviour, options: SourceOptions = {}): Promise<Source> {
  const one = await source(t, behaviour, {
    ram: 1,
    ...options,
    capabilities: ['postcopy-ram', ...(options.capabilities ?? [])],
    parameters: { ...held, ...options.parameters },
  });
  t.atRest(one.instance, () => windsUp(one));
  return one;
}

const underWay: ReadonlySet<unknown> = new Set(['postcopy-active', 'postcopy-paused', 'postcopy-recover']);
/** Milliseconds in which a postcopy that nothing holds back comes to its end. */
const windingUp = 500;

/**
 * Brings a postcopy that was left somewhere on its way to its end: a source that is stuck in one cannot serve again, and to
 * start another one costs several times as much. False where it does not go on.
 */
async function windsUp({ session, peer }: Source): Promise<boolean> {
  const { value } = await session.command('query-migrate');
  const status = isObject(value) && isObject(value.return) ? value.return.status : undefined;
  if (!underWay.has(status)) return true;
  const ended = () =>
    session
      .since(mark)
      .find((one) => eventName(one) === 'MIGRATION' && /"(completed|failed|postcopy-paused)"/.test(one.text));
  const mark = session.mark();
  await peer.release();
  session.post('migrate-set-parameters', { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 });
  if (status === 'postcopy-paused') {
    const resumed = await session.command('migrate', { uri: peer.uri, resume: true });
    if (resumed.kind !== 'success') return false;
  }
  const end = await session.until('the end of the postcopy', ended, windingUp);
  return end.text.includes('"completed"');
}

/** Begins, and asks for postcopy in the same breath: with nothing sent yet it need not wait for a window to end. */
export async function beginPostcopy(t: Trial, one: Source): Promise<void> {
  const { session } = one;
  const migrate = session.post('migrate', { uri: one.peer.uri });
  const start = session.post('migrate-start-postcopy');
  t.equal(t.succeeded(await session.reply(migrate), 'migrate'), {}, 'migrate');
  t.equal(t.succeeded(await session.reply(start), 'migrate-start-postcopy'), {}, 'migrate-start-postcopy');
}

/** A source in postcopy-active, its guest stopped and what belongs to the switch told. */
export async function inPostcopy(
  t: Trial,
  behaviour: PeerBehaviour = 'answer',
  options: SourceOptions = {},
): Promise<Source> {
  const one = await postcopySource(t, behaviour, options);
  await beginPostcopy(t, one);
  await one.until('postcopy-active');
  await one.runs('finish-migrate');
  // Until the guest is sent, and the source has seen that it was, a fault would still fail the migration instead of pausing it.
  await one.peer.until('onward', one.session.deadline);
  await one.session.fence();
  return one;
}

/** Plot of the switch. */
export function switchPlots(t: Trial, running = true): string[] {
  const stop = running ? 'S ' : '';
  const early = `postcopy-active ${stop}P`;
  const late = `${stop}device P postcopy-active`;
  if (!fitsExactly(t.facts)) return [early, late];
  return [t.dialect.migration.deviceAlways ? late : early];
}

/** Lets the rest of the memory go as fast as it can. */
export const hurry = (one: Source): Promise<void> =>
  one.does('migrate-set-parameters', { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 });

/** A source in postcopy-paused. */
export async function pausedPostcopy(
  t: Trial,
  behaviour: PeerBehaviour = 'answer',
  options: SourceOptions = {},
): Promise<Source> {
  const one = await inPostcopy(t, behaviour, options);
  await pauses(one);
  return one;
}

/** A source in postcopy-active pauses. */
export async function pauses(one: Source): Promise<void> {
  await one.does('migrate-pause');
  await one.until('postcopy-paused');
  await one.peer.until('closed', one.session.deadline);
}
