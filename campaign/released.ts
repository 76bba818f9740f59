/**
 * Memory that a source has given back: after a postcopy with `release-ram` it has none of what it sent (commands.md §3,
 * stream-format.md §9.1). Seen where the same process, whose guest has stood still since, is told to migrate once more.
 */
import { isObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

const switchedOn = /"capability"\s*:\s*"release-ram"\s*,\s*"state"\s*:\s*true/;
/** What may have filled the memory again, or have taken the capability back; and what is spelled out. */
const changes = /"cont"|RESUME|reset|RESET|recover|"resume"|"state"\s*:\s*false|loadvm|human-monitor|\\u/;

export function releasedSymptoms({ entries }: Transcript): Symptom[] {
  if (entries.filter(({ kind }) => kind === 'started').length !== 1) return [];
  const after = (from: number | undefined, found: (entry: Entry) => boolean): number | undefined =>
    from === undefined ? undefined : entries.find((entry) => entry.n > from && found(entry))?.n;
  const on = after(-1, ({ kind, text }) => kind === 'sent' && switchedOn.test(text));
  const switched = after(on, ({ kind, text }) => kind === 'channel' && text.endsWith('read POSTCOPY_RUN'));
  const completed = after(switched, isCompleted);
  const again = after(completed, ({ kind, text }) => kind === 'channel' && text.endsWith(': accepted'));
  const counted = after(again, ({ kind, text }) => kind === 'channel' && /: pages in all: [1-9]\d* whole,/.test(text));
  if (again === undefined || counted === undefined) return [];
  if (entries.some(({ kind, text }) => (kind === 'sent' || kind === 'received') && changes.test(text))) return [];
  const [fact, accepted] = [entries[counted] as Entry, entries[again] as Entry];
  const [channel, number] = [accepted.at, /^connection (\d+)/.exec(accepted.text)?.[1]];
  if (fact.at !== channel || !fact.text.startsWith(`connection ${number}: `)) return [];
  return [
    {
      kind: 'divergence',
      subject: 'memory that was released is sent once more',
      rows: ['MIG-STR-PC-09'],
      state: '',
      expected: ['zero pages only, after a postcopy with release-ram'],
      got: fact.text,
      entry: again,
    },
  ];
}

function isCompleted(entry: Entry): boolean {
  if (entry.kind !== 'received') return false;
  const value = entryValue(entry);
  if (!isObject(value)) return false;
  const told = value.event === 'MIGRATION' ? value.data : value.return;
  return isObject(told) && told.status === 'completed' && !('running' in told);
}
