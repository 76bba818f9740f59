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
  // One command may have been sent in several pieces.
  const sent = new Map<string, string>();
  for (const { kind, at, text } of transcript.entries) {
    if (kind === 'sent') sent.set(at, `${sent.get(at) ?? ''}${text}`);
  }
  let worst: 'none' | 'settings' | 'any' = 'none';
  for (const text of sent.values()) {
    // Raw input may hide commands in escapes; anything that does not plainly look harmless counts as "any".
    for (const match of text.matchAll(/["'](?:execute|exec-oob)["']\s*:\s*["']([^"']*)["']/g)) {
      const name = match[1] as string;
      if (harmless.test(name)) continue;
      if (!settings.test(name)) return 'any';
      worst = 'settings';
    }
    if (/\\u00/.test(text)) return 'any';
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
      session.post('cont');
      session.post('migrate-set-capabilities', { capabilities: wanted.capabilities });
      // Twice: a value may be refused only because of another one that is put back after it (MIG-CMD-SPAR-04).
      for (let round = 0; round < 2; round++) {
        // Singly: one refusal must not keep the other settings from being put back.
        for (const [name, value] of Object.entries(wanted.parameters)) {
          session.post('migrate-set-parameters', { [name]: value });
        }
        await session.fence();
        const now = await readSettings(session);
        if (now !== undefined && sameSettings(now, wanted)) return true;
      }
      return false;
    } finally {
      session.close();
    }
  } catch {
    return false;
  }
}
