/** Whether an instance that served a trial is as it was before, and how to put it back. */
import type { Transcript } from '../protocol/transcript.js';
import { readSettings, type Settings, sameSettings } from '../targets/settings.js';
import type { Instance } from '../targets/target.js';

// Commands after which nothing is different.
const harmless = /^(query-.*|qmp_capabilities)$/;
// Commands after which only parameters and capabilities are different.
const settings = /^(migrate-set-(parameters|capabilities|cache-size)|migrate_set_(speed|downtime))$/;

/** What was sent could have changed nothing, only settings, or anything. */
export function leavesTraces(transcript: Transcript): 'none' | 'settings' | 'any' {
  let worst: 'none' | 'settings' | 'any' = 'none';
  for (const entry of transcript.entries) {
    if (entry.kind !== 'sent') continue;
    // Raw input may hide commands in escapes or fragments; anything that does not plainly look harmless counts as "any".
    for (const match of entry.text.matchAll(/["'](?:execute|exec-oob)["']\s*:\s*["']([^"']*)["']/g)) {
      const name = match[1] as string;
      if (harmless.test(name)) continue;
      if (!settings.test(name)) return 'any';
      worst = 'settings';
    }
    if (/\\u00/.test(entry.text)) return 'any';
  }
  return worst;
}

/**
 * Puts the settings back to those that the target shows when it is new, and starts the guest; true when the instance then
 * shows them.
 */
export async function restore(instance: Instance, wanted: Settings): Promise<boolean> {
  if (instance.exit !== undefined) return false;
  try {
    const session = await instance.connect();
    try {
      await session.negotiate();
      // Singly: one refusal must not keep the other settings from being put back.
      for (const [name, value] of Object.entries(wanted.parameters)) {
        session.post('migrate-set-parameters', { [name]: value });
      }
      session.post('migrate-set-capabilities', { capabilities: wanted.capabilities });
      session.post('cont');
      await session.fence();
      const now = await readSettings(session);
      return now !== undefined && sameSettings(now, wanted);
    } finally {
      session.close();
    }
  } catch {
    return false;
  }
}
