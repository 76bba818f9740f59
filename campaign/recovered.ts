/**
 * What a source makes of the messages that a peer of ours sends back while a postcopy is taken up again (state-machine.md §3.5):
 * only an acknowledgement ends the recovery well, and only one that comes before anything by which the return path has ended.
 */
import type { Entry, Transcript } from '../protocol/transcript.js';
import { badMessages } from './answered.js';
import { statusOf } from './loaded.js';
import type { Symptom } from './symptom.js';

/** Whose meaning is open there: a page may have been named before the pause. */
const open: ReadonlySet<string> = new Set(['request-again', 'request-empty', 'shut', 'half', 'bitmap']);

/** A recovery under way. */
interface Recovery {
  /** Its connection has been made: what is sent from now on is for it. */
  readonly connected: boolean;
  /** It has been told. */
  readonly told: boolean;
  /** Messages on its connection, up to the first acknowledgement. */
  readonly heard: readonly string[];
  readonly acknowledged: boolean;
}

const begun: Recovery = { connected: false, told: false, heard: [], acknowledged: false };

export function recoveredSymptoms({ entries }: Transcript): Symptom[] {
  const listens = entries.filter(({ kind, text }) => kind === 'channel' && text.startsWith('listens at'));
  if (entries.filter(({ kind }) => kind === 'started').length !== 1) return [];
  // Of a peer that answers by itself nothing is told here.
  if (!listens.every(({ text }) => text.endsWith(': silent'))) return [];
  if (entries.some(({ kind, text }) => kind === 'channel' && text === 'released')) return [];
  let recovery: Recovery | undefined;
  for (const entry of entries) {
    recovery = after(recovery, entry);
    const status = entry.at === 'source' ? statusOf(entry) : undefined;
    if (recovery === undefined || status === undefined) continue;
    if (status.startsWith('postcopy-recover')) recovery = { ...recovery, told: true };
    else if (!recovery.told) continue;
    else if (status === 'postcopy-active' || status === 'completed') {
      const symptom = judged(recovery, entry);
      if (symptom !== undefined) return [symptom];
      recovery = undefined;
    } else recovery = undefined;
  }
  return [];
}

/** What is known of a recovery once something was sent, or happened on a channel. */
function after(recovery: Recovery | undefined, { kind, text }: Entry): Recovery | undefined {
  if (kind === 'sent' && /"migrate"/.test(text)) return /"resume"/.test(text) ? begun : undefined;
  if (recovery === undefined || kind !== 'channel') return recovery;
  if (/: accepted$/.test(text)) return { ...recovery, connected: true };
  const [, message] = /^sent [^:]*: (.*)$/.exec(text) ?? [];
  if (message === undefined || recovery.acknowledged) return recovery;
  // One that went out before its connection was seen may have been for it, too.
  if (message === 'resume-ack') return { ...recovery, acknowledged: true };
  return recovery.connected ? { ...recovery, heard: [...recovery.heard, message] } : recovery;
}

/** What is wrong with a recovery that has ended well. */
function judged({ heard, acknowledged }: Recovery, entry: Entry): Symptom | undefined {
  const wrong = heard.find((one) => badMessages[one] !== undefined && !open.has(one));
  if (acknowledged && wrong === undefined) return undefined;
  const row = (acknowledged ? badMessages[wrong ?? ''] : undefined) ?? 'MIG-SM-O74';
  return {
    kind: 'divergence',
    subject: acknowledged
      ? `a postcopy is taken up again although ${wrong} came back`
      : 'a postcopy is taken up again without an acknowledgement',
    rows: [row],
    state: '',
    expected: ['a recovery that ends in postcopy-paused, or does not end'],
    got: entry.text.slice(0, 200),
    entry: entry.n,
  };
}
