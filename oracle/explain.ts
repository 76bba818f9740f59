/** A divergence of the model, for people: what came, what was permitted, where the process may have been, and the wire. */
import { renderEntries } from '../protocol/render.js';
import type { Entry, Transcript } from '../protocol/transcript.js';
import type { JudgedDivergence } from './judge.js';

/** Lines without colour. */
export function explainDivergence(divergence: JudgedDivergence, transcript: Transcript): string[] {
  const lines = [`${divergence.endpoint} diverged at message ${divergence.entry}`, `  got        ${divergence.got}`];
  for (const [i, { words, rows }] of divergence.permitted.entries()) {
    const cited = rows.length === 0 ? '' : `   [${rows.join(' ')}]`;
    lines.push(`  ${i === 0 ? 'permitted' : '       or'}  ${words}${cited}`);
  }
  for (const [i, state] of divergence.states.entries())
    lines.push(`  ${i === 0 ? 'state    ' : '       or'}  ${state}`);
  lines.push('  wire');
  const wire = renderEntries(relevant(transcript.entries, divergence), {
    width: 180,
    times: true,
    pointAt: divergence.entry,
  });
  lines.push(...wire.map((line) => `    ${line}`));
  return lines;
}

/**
 * The shortest excerpt that explains: from the last command that changed something before the divergence, queries left out
 * unless they are the divergence. What a peer of ours did on the migration channel belongs to it.
 */
function relevant(entries: readonly Entry[], divergence: JudgedDivergence): Entry[] {
  const endpoint = divergence.endpoint.split('#')[0] as string;
  const near = ({ at, kind }: Entry) => kind === 'channel' || at.split('#')[0] === endpoint;
  const mine = entries.filter((entry) => entry.n <= divergence.entry && near(entry));
  const acts = mine.filter(
    (entry) => entry.kind === 'sent' && !/"(execute|exec-oob)"\s*:\s*"(query-|qmp_cap)/.test(entry.text),
  );
  // Two commands back: races need the one before, too.
  const from = acts.at(-3)?.n ?? acts[0]?.n ?? mine.at(-10)?.n ?? 0;
  const window = mine.filter((entry) => entry.n >= from);
  return window.length <= 24 ? window : [...window.slice(0, 4), ...window.slice(-20)];
}
