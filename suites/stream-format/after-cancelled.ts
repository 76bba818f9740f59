/** A stream that is not the first of its source. */
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { StartOptions } from '../../targets/target.js';
import { becomes } from '../commands/observe.js';
import { Captured } from './capture.js';

/** A source that has completed a migration, the second one: the first was seen half-way and cancelled. */
export async function afterCancelled(t: Trial, start: StartOptions = {}): Promise<Captured> {
  const one = await Captured.open(t, { start, parameters: { 'max-bandwidth': 2 ** 15 } });
  await one.migrates();
  await one.until('active');
  const words = 'some of its pages';
  await becomes(t, one.session, 'query-migrate', words, ({ ram }) => isObject(ram) && Number(ram.duplicate) > 0);
  await one.does('migrate_cancel');
  await one.until('cancelled');
  await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
  one.turn();
  await one.migrates();
  await one.until('completed');
  await one.runs('postmigrate');
  await one.peer.until('closed', one.session.deadline, 2);
  return one;
}
