/** The part of a transcript that shows one of its entries. */
import { renderEntries } from '../protocol/render.js';
import type { Transcript } from '../protocol/transcript.js';

/** @param at the entry to point at; the end when absent */
export function excerptOf(
  { entries }: Pick<Transcript, 'entries'>,
  at: number | undefined,
  before = 18,
  after = 2,
): string[] {
  const end = at === undefined ? entries.length : Math.min(entries.length, at + 1 + after);
  const from = Math.max(0, (at ?? entries.length) - before);
  const lines = renderEntries(entries.slice(from, end), { width: 300, ...(at === undefined ? {} : { pointAt: at }) });
  return from === 0 ? lines : [`     … ${from} before`, ...lines];
}
