/**
 * A process that dies before it has done anything. A QEMU 7.2 does so once in some ten thousand starts on a busy machine: its
 * first client, which comes while it is still starting, is watched for twice, the second watch outlives it, and the process
 * crashes as the next client comes. Like a start that goes wrong, this is no fault of what a requirement was about to ask.
 */
import type { Verdict } from '../oracle/verdict.js';
import { readMessage } from '../protocol/read-message.js';
import type { Entry, Transcript } from '../protocol/transcript.js';

/** A process crashed that had answered no more than `qmp_capabilities` on each of its connections. */
export function diedYoung({ kind }: Verdict, { entries }: Transcript): boolean {
  if (kind !== 'crash') return false;
  const ended = entries.filter((entry) => entry.kind === 'eof' || entry.kind === 'exited');
  return [...new Set(ended.map(processOf))].some((one) => {
    const ofIt = entries.filter((entry) => processOf(entry) === one);
    const connections = ofIt.filter((entry) => entry.kind === 'connected').length;
    return connections > 0 && ofIt.filter(isReply).length <= connections;
  });
}

/** The process behind an endpoint: `source#2` is the second monitor of `source`. */
const processOf = ({ at }: Entry): string => at.split('#', 1)[0] as string;

const isReply = ({ kind, text }: Entry): boolean =>
  kind === 'received' && ['success', 'failure'].includes(readMessage(text).kind);
