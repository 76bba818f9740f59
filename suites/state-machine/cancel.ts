/** What a cancel may look like (state-machine.md §3.7, MIG-SM-E02, MIG-SM-R05). */
import type { Trial } from '../../oracle/trial.js';
import type { Source } from './source.js';
import { eventsOf, precedes, tells } from './story.js';

const command = 'migrate_cancel';

/**
 * Waits for the end of a cancelled migration and checks its story. `rest`: the plots of all events but `cancelling`, whose
 * place among those of the migration thread is open.
 */
export async function cancelled(t: Trial, one: Source, rest: string | readonly string[], step?: string): Promise<void> {
  const end = await one.until('cancelled', 'failed');
  if (end === 'failed') return t.knownDefect('MIG-DEF-01', 'event MIGRATION cancelled', 'event MIGRATION failed', step);
  const words = await one.story();
  const events = eventsOf(words);
  t.check(
    events.filter((word) => word === 'cancelling').length === 1,
    'the event cancelling once',
    words.join(' '),
    step,
  );
  precedes(t, words, 'cancelling', `↵${command}`);
  precedes(t, words, 'cancelling', 'cancelled');
  const others = events.filter((word) => word !== 'cancelling');
  tells(t, others, rest, step);
}

/** Sends the cancel and waits for its reply. */
export const cancel = (one: Source): Promise<void> => one.does(command);

/** Outcomes of a cancel that meets the end of a migration: who won, and the run state after it. */
export async function settled(t: Trial, one: Source, step: string): Promise<string> {
  const end = await one.until('cancelled', 'completed', 'failed');
  await one.runs(end === 'completed' ? 'postmigrate' : 'running');
  const words = await one.story();
  const events = eventsOf(words);
  t.check(
    events.filter((word) => ['cancelled', 'completed', 'failed'].includes(word)).length === 1,
    'one end of the migration',
    words.join(' '),
    step,
  );
  t.check(words.includes(`↵${command}`), `a reply to ${command}`, words.join(' '), step);
  if (end === 'cancelled') precedes(t, words, 'cancelling', 'cancelled');
  if (events.includes('cancelling')) precedes(t, words, 'cancelling', `↵${command}`);
  // The guest runs on only where it was stopped, and is stopped for good only by a completed migration.
  const stops = events.filter((word) => word === 'S').length;
  const resumes = events.filter((word) => word === 'R').length;
  t.check(
    stops - resumes === (end === 'completed' ? 1 : 0),
    end === 'completed' ? 'one STOP more than RESUME' : 'as many RESUME as STOP',
    words.join(' '),
    step,
  );
  await one.statusIs(end);
  return end;
}
