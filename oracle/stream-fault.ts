/** What a peer of ours said of a stream that it was sent and no source sends. */
import type { Entry, Transcript } from '../protocol/transcript.js';

const words = /the stream (?:cannot be read|is not as it should be): (.*)$/s;

/** The first such word of a transcript, and why; `undefined` where every stream is as it should be. */
export function streamFault({ entries }: Transcript): { readonly entry: Entry; readonly why: string } | undefined {
  for (const entry of entries) {
    const why = entry.kind === 'channel' ? words.exec(entry.text)?.[1] : undefined;
    if (why !== undefined) return { entry, why };
  }
  return undefined;
}

/** What is said of such a stream by who reads it. */
const known: readonly (readonly [defect: string, words: RegExp])[] = [
  // A source that is asked for postcopy once everything has been sent, and before it has ended, switches over with nothing to
  // discard. A destination that is told of no discard prepares itself for one as it begins to listen, and refuses the command
  // to run, in the state in which discards are taken: the migration fails on both sides.
  ['MIG-DEF-47', /POSTCOPY_RUN: .*\bgot 2 /],
  // What lay in memory goes with the greeting of a data channel.
  ['MIG-DEF-52', /a greeting has .* in reserve/],
];

/** The known defect that explains what was said of a stream; `undefined` where none does. */
export const defectOfStream = (why: string, defects: ReadonlySet<string>): string | undefined =>
  known.find(([id, said]) => defects.has(id) && said.test(why))?.[0];
