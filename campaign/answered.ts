/**
 * What a source makes of the messages that a peer of ours sends back (stream-format.md §8): one that is malformed, or that nobody
 * may send there, is the end of the migration, and never a good one; those that mean nothing change nothing. Only where nothing
 * else was done to the migration.
 */
import type { Entry, Transcript } from '../protocol/transcript.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { statusOf } from './loaded.js';
import type { Symptom } from './symptom.js';

/** Messages that end a migration badly wherever they come while it is not resumed, and the row that says so. */
export const badMessages: Readonly<Record<string, string>> = {
  unknown: 'MIG-STR-RP-01',
  ready: 'MIG-STR-RP-01',
  'shut-empty': 'MIG-STR-RP-02',
  'pong-long': 'MIG-STR-RP-02',
  'ack-short': 'MIG-STR-RP-02',
  'too-long': 'MIG-STR-RP-02',
  'shut-error': 'MIG-STR-RP-04',
  'shut-negative': 'MIG-STR-RP-04',
  'request-elsewhere': 'MIG-STR-RP-06',
  'request-odd': 'MIG-STR-RP-07',
  'request-half': 'MIG-STR-RP-07',
  'request-beyond': 'MIG-STR-RP-08',
  'request-cut': 'MIG-STR-RP-10',
  bitmap: 'MIG-STR-RP-11',
  'bitmap-elsewhere': 'MIG-STR-RP-12',
  'bitmap-nameless': 'MIG-STR-RP-12',
  'bad-ack': 'MIG-STR-RP-13',
};
/** Messages that change nothing. */
const idle = /^(?:pong|resume-ack)$/;

/** Commands beside the one migration that have no part in how it ends. */
const quiet =
  /"exec(?:ute|-oob)":"(?:query-[a-z-]+|qmp_capabilities|migrate-set-capabilities|migrate-set-parameters|migrate|migrate-start-postcopy)"/;

interface Told {
  readonly subject: string;
  readonly row: string;
  readonly expected: string;
  readonly entry: Entry;
}

export function answeredSymptoms({ entries }: Transcript, dialect: Dialect): Symptom[] {
  const told = answered(entries, dialect);
  if (told === undefined) return [];
  const { subject, row, expected, entry } = told;
  const got = entry.text.slice(0, 200);
  return [{ kind: 'divergence', subject, rows: [row], state: '', expected: [expected], got, entry: entry.n }];
}

function answered(entries: readonly Entry[], dialect: Dialect): Told | undefined {
  if (entries.filter(({ kind }) => kind === 'started').length !== 1) return undefined;
  if (entries.filter(({ kind, text }) => kind === 'channel' && text.startsWith('listens at')).length !== 1)
    return undefined;
  let [open, ended, migrates] = [false, false, 0];
  const sent: string[] = [];
  for (const entry of entries) {
    const { kind, text } = entry;
    if (kind === 'sent') {
      const lines = text.split('\n').filter((line) => line !== '');
      migrates += lines.filter((line) => /"execute":"migrate"/.test(line)).length;
      if (migrates > 1 || lines.some((line) => !quiet.test(line)) || text.includes('"resume"')) return undefined;
    } else if (kind === 'channel') {
      if (text.startsWith('listens at') && !text.endsWith(': silent')) return undefined;
      if (/^(?:cut|released)$/.test(text)) return undefined;
      if (text.endsWith(': read OPEN_RETURN_PATH')) open = true;
      if (/: the stream has ended$/.test(text)) ended = true;
      const [, message] = /^sent [^:]*: (.*)$/.exec(text) ?? [];
      if (message === undefined) continue;
      // What comes before anybody reads it, or in parts, may mean something else.
      if (!open || message === 'half') return undefined;
      // The last word of a peer comes once everything has been read.
      if (message === 'shut' && !ended) return undefined;
      sent.push(message);
    } else if (sent.length > 0) {
      const status = statusOf(entry);
      if (status === 'completed' || status === 'failed') return judged(sent, status, entry, dialect);
    }
  }
  return undefined;
}

/** What is wrong with the end of a migration in which these messages came back. */
function judged(
  sent: readonly string[],
  status: 'completed' | 'failed',
  entry: Entry,
  { stream }: Dialect,
): Told | undefined {
  const last = sent.indexOf('shut');
  const heard = last < 0 ? sent : sent.slice(0, last);
  const rowOf = (message: string, at: number): string | undefined => {
    if (message === 'request-empty' && !stream.emptyRequests) return 'MIG-STR-RP-09';
    const named = heard.slice(0, at).some((one) => one.startsWith('request'));
    return message === 'request-again' && !named ? 'MIG-STR-RP-05' : badMessages[message];
  };
  const at = heard.findIndex((one, i) => rowOf(one, i) !== undefined);
  const wrong = heard[at];
  const row = wrong === undefined ? undefined : rowOf(wrong, at);
  if (status === 'completed' && row !== undefined)
    return {
      subject: `a migration completes although ${wrong} came back`,
      row,
      expected: 'a migration that fails, or pauses',
      entry,
    };
  if (status === 'failed' && last >= 0 && heard.every((one) => idle.test(one)))
    return {
      subject: 'a migration fails although its peer has taken all of it',
      row: 'MIG-STR-RP-20',
      expected: 'a completed migration',
      entry,
    };
  return undefined;
}
