/** Whether an instance that served a trial is as it was before, and how to put it back. */
import { isObject } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';
import type { Transcript } from '../protocol/transcript.js';
import { readSettings, type Settings, sameSettings } from '../targets/settings.js';
import type { Instance } from '../targets/target.js';

// Commands after which nothing is different.
const harmless = /^(query-.*|qmp_capabilities)$/;
// Commands after which only what `restore` looks at and puts back is different.
const restorable =
  /^(migrate-set-(parameters|capabilities|cache-size)|migrate_set_(speed|downtime)|migrate_cancel|stop|cont|system_reset)$/;

/** What was sent to an instance could have changed nothing, only what can be put back, or anything. */
export type Traces = 'none' | 'restorable' | 'any';

/**
 * Judges by what was sent to `endpoint` (and to its further monitors).
 * @param successes replies from there that are no errors: a command that is refused leaves no trace, or one that shows
 */
export function leavesTraces(transcript: Transcript, endpoint: string, successes: number): Traces {
  // One command may have been sent in several pieces.
  const sent = new Map<string, string>();
  for (const { kind, at, text } of transcript.entries) {
    if (kind !== 'sent' || (at !== endpoint && !at.startsWith(`${endpoint}#`))) continue;
    sent.set(at, `${sent.get(at) ?? ''}${text}`);
  }
  let known = 0;
  let worst: Traces = 'none';
  let strange = false;
  for (const text of sent.values()) {
    for (const match of text.matchAll(/["'](?:execute|exec-oob)["']\s*:\s*["']([^"']*)["']/g)) {
      const name = match[1] as string;
      if (harmless.test(name)) known++;
      else if (restorable.test(name)) {
        known++;
        worst = 'restorable';
      } else strange = true;
    }
    // Raw input may hide commands in escapes.
    if (/\\u00/.test(text)) strange = true;
  }
  if (!strange) return worst;
  return successes <= known ? 'restorable' : 'any';
}

/**
 * Puts the settings back to those that the target shows when it is new, and starts the guest; true when the instance then
 * shows them, runs, and has never migrated.
 */
export async function restore(instance: Instance, wanted: Settings): Promise<boolean> {
  if (instance.exit !== undefined) return false;
  try {
    const session = await instance.connect();
    try {
      await session.negotiate();
      if (await isAsNew(session, wanted)) return true;
      session.post('cont');
      session.post('migrate-set-capabilities', { capabilities: wanted.capabilities });
      // Twice: a value may be refused only because of another one that is put back after it (MIG-CMD-SPAR-04).
      for (let round = 0; round < 2; round++) {
        // Singly: one refusal must not keep the other settings from being put back.
        for (const [name, value] of Object.entries(wanted.parameters)) {
          session.post('migrate-set-parameters', { [name]: value });
        }
        await session.fence();
        if (await isAsNew(session, wanted)) return true;
      }
      return false;
    } finally {
      session.close();
    }
  } catch {
    return false;
  }
}

async function isAsNew(session: Session, wanted: Settings): Promise<boolean> {
  const now = await readSettings(session);
  if (now === undefined || !sameSettings(now, wanted)) return false;
  const status = async (query: string) => {
    const { value } = await session.command(query);
    return isObject(value) && isObject(value.return) ? (value.return.status ?? 'none') : undefined;
  };
  return (await status('query-migrate')) === 'none' && (await status('query-status')) === 'running';
}
