/** Sources that send to a program: a monitor may refuse to start programs, whatever its schema says. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import type { JsonObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import type { Actor } from './actor.js';
import { eventsOf, precedes, tells } from './story.js';

/** A program that reads everything and tells nothing. */
export const swallow = 'exec:cat >/dev/null';

/** Whether the monitor lets programs be started at all; asked of a program that ends at once without reading. */
export function startsPrograms(t: Trial, reply: { kind: string; value: unknown }): boolean {
  const error = (reply.value as JsonObject).error as JsonObject | undefined;
  const off = reply.kind === 'failure' && /switched off|not (allowed|permitted|supported)/.test(String(error?.desc));
  if (off)
    t.check(error?.class === 'GenericError', 'class GenericError', String(error?.class), 'exec: is switched off');
  return !off;
}

export const migrateTo = (session: Session, uri: string) => session.command('migrate', { uri });

/**
 * A migration to a program tells this after `setup`. It is connected at once, so that later releases may tell of its first
 * steps before the reply.
 */
export async function tellsOfProgram(t: Trial, one: Actor, events: string): Promise<void> {
  if (!t.dialect.migration.lateReplies) return one.tells(`setup ↵migrate ${events}`);
  const words = await one.story();
  tells(t, eventsOf(words), `setup ${events}`);
  precedes(t, words, 'setup', '↵migrate');
}

/** A program that takes its time: it reads what it is given only once it is let. */
export interface SlowReader {
  readonly uri: string;
  /** Lets it read. */
  release(): Promise<void>;
}

let readers = 0;

/** @param scratch folder of the instance; the program ends with it, if it is never let */
export function slowReader(scratch: string): SlowReader {
  // An instance serves again: what let the program of another requirement must not let this one.
  const gate = join(scratch, `read-now-${++readers}`);
  return {
    uri: `exec:until [ -e '${gate}' ] || [ ! -d '${scratch}' ]; do sleep 0.02; done; cat >/dev/null`,
    release: () => writeFile(gate, ''),
  };
}
