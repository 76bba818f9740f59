/**
 * A migration from one process of the target to another one, started alike, to which nothing was done: the destination loads
 * what the source sends, for both speak the same format (state-machine.md §7).
 */
import { parseStart } from '../oracle/first-state.js';
import { stringifyJson } from '../protocol/json.js';
import type { Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

/** Capabilities with which it makes no difference what the destination was told. */
const indifferent = /^(?:events|xbzrle|return-path|auto-converge|release-ram|zero-blocks|pause-before-switchover)$/;
/** Commands that leave both alone. */
const quiet =
  /^\{"execute":"(?:query-[a-z-]+|qmp_capabilities|migrate-set-capabilities|migrate-incoming|migrate|migrate-continue)"/;

export function betweenSymptoms({ entries }: Transcript): Symptom[] {
  const starts = entries.filter(({ kind }) => kind === 'started');
  const [source, destination] = ['source', 'destination'].map((name) => starts.find(({ at }) => at === name));
  if (starts.length !== 2 || source === undefined || destination === undefined) return [];
  // A channel of ours may have cut or held what went over it.
  if (entries.some(({ kind }) => kind === 'channel')) return [];
  const { incoming, ...alike } = parseStart(destination.text);
  const { ramImage: _, ...own } = parseStart(source.text);
  if (incoming === undefined || stringifyJson({ ...alike }) !== stringifyJson({ ...own })) return [];
  const end = entries.find(({ kind, at }) => kind === 'exited' && at === 'destination');
  if (end === undefined || !/^exit status [^0]/.test(end.text)) return [];
  // What comes once the scenario is over is our own doing.
  if (!entries.some(({ n, kind }) => n > end.n && kind === 'received')) return [];
  const migrations = { migrate: 0, 'migrate-incoming': 0 };
  for (const { kind, text, n } of entries) {
    if (n >= end.n) break;
    if (kind !== 'sent') continue;
    for (const line of text.split('\n')) {
      if (line !== '' && !quiet.test(line)) return [];
      for (const [, name = ''] of line.matchAll(/"capability":"([^"]*)"/g)) if (!indifferent.test(name)) return [];
      if (line.startsWith('{"execute":"migrate"')) migrations.migrate++;
      if (line.startsWith('{"execute":"migrate-incoming"')) migrations['migrate-incoming']++;
    }
  }
  if (migrations.migrate !== 1 || migrations['migrate-incoming'] > 1) return [];
  return [
    {
      kind: 'divergence',
      subject: 'a destination refuses what its like has sent',
      rows: ['MIG-STR-SEC-10'],
      state: '',
      expected: ['a completed load'],
      got: end.text,
      entry: end.n,
    },
  ];
}
