/** Peers on migration channels, as a shell does them with socat, and what it cannot do. */
import { streamOf } from '../../oracle/peer/stream-parts.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import type { Step } from '../../targets/scenario.js';

type ChannelStep = Extract<Step, { readonly channel: string }>;

export interface PeerLines {
  readonly lines: readonly string[];
  /** What is not as in the original, in words. */
  readonly limit?: string;
}

/** SHUT with this value, as the destination of a stream writes it: message 1, length 4. */
const shut = (value: number): string => `\\\\0\\\\1\\\\0\\\\4\\\\0\\\\0\\\\0\\\\${value}`;

const listen = (channel: string, behaviour: string): string[] => [
  `rm -f "$dir/${channel}.mig"`,
  `socat "UNIX-LISTEN:$dir/${channel}.mig,fork" ${behaviour} 2>/dev/null & echo $! > "$dir/${channel}.peer.pid"`,
  `tries=0; until [ -S "$dir/${channel}.mig" ] || [ $tries -gt 100 ]; do tries=$((tries + 1)); sleep 0.02; done`,
];

/** Reads the stream; a second after the last byte it answers: the stream itself says where it ends, which a shell cannot read. */
const answering = (channel: string, value: number): string[] =>
  listen(channel, `"SYSTEM:'timeout 1 cat >/dev/null; printf \\"${shut(value)}\\"; cat >/dev/null'"`);

/** Bytes as `printf` takes them. */
export const octal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** Bytes in one call: four characters each, and a system takes 128 KiB in a word. */
const atOnce = 16 << 10;

/** What `oracle/channels.ts` does with such a step. @param rules of the stream; undefined where nobody knows them */
function feedLines(step: Extract<Step, { readonly do: 'feed' }>, rules: StreamRules | undefined): PeerLines {
  const { channel, parts, cut, flip, every } = step;
  if (rules === undefined) {
    return { lines: [`: # feeds ${parts.join(', ')}`], limit: 'streams of our own making are left out' };
  }
  const stream = streamOf(parts, rules).subarray(0, cut);
  if (flip !== undefined && flip < stream.length) stream[flip] = (stream[flip] as number) ^ 0xff;
  const lines = [`feeds ${channel} # ${parts.join(', ')}`];
  for (let at = 0; at < stream.length; at += atOnce) {
    lines.push(`bytes ${channel} '${octal(stream.subarray(at, at + atOnce))}'`);
  }
  if (cut !== undefined) lines.push(`no_more ${channel}`);
  return { lines, ...(every === undefined ? {} : { limit: 'bytes are sent in one piece' }) };
}

/** @param rules of the streams that we send */
export function peerLines(step: ChannelStep, rules: StreamRules | undefined): PeerLines {
  const { channel } = step;
  const stop = `kill "$(cat "$dir/${channel}.peer.pid")" 2>/dev/null; pkill -P "$(cat "$dir/${channel}.peer.pid")" 2>/dev/null`;
  if (step.do === 'cut') return { lines: [`no_more ${channel}`, `[ -f "$dir/${channel}.peer.pid" ] && { ${stop}; }`] };
  if (step.do === 'relay') {
    const to = `"UNIX-CONNECT:$dir/${step.to}.mig"`;
    const lines =
      step.behaviour === 'pass' ? listen(channel, to) : [`: # a relay to ${step.to} that does: ${step.behaviour}`];
    return {
      lines,
      ...(step.behaviour === 'pass' ? {} : { limit: `a relay that does '${step.behaviour}' is left out` }),
    };
  }
  if (step.do === 'feed') return feedLines(step, rules);
  if (step.do === 'message') {
    return { lines: [`: # sends ${step.message} back`], limit: 'messages on the return path are left out' };
  }
  if (step.do === 'channel') {
    return {
      lines: [`sleep 0.5 # until the channel is ${step.is}`],
      limit: 'moments of a channel are waited for by time',
    };
  }
  if (step.do === 'release') {
    return {
      lines: [
        `[ -f "$dir/${channel}.reader" ] && kill -CONT "$(cat "$dir/${channel}.reader")" 2>/dev/null; touch "$dir/${channel}.go"`,
      ],
      limit: 'a peer that is released reads on, and gives no answer on a return path',
    };
  }
  switch (step.behaviour) {
    case 'absent':
      return { lines: [`rm -f "$dir/${channel}.mig" # nobody listens`] };
    case 'stall':
      return {
        lines: listen(channel, `"SYSTEM:'while [ ! -e $dir/${channel}.go ]; do sleep 0.05; done; cat >/dev/null'"`),
      };
    case 'silent':
      return { lines: listen(channel, `"SYSTEM:'cat >/dev/null'"`) };
    case 'answer':
    case 'ask':
      return {
        lines: answering(channel, 0),
        limit: `the peer answers when the stream has been quiet, within a second, and not at its last byte${step.behaviour === 'ask' ? ', and asks for no page' : ''}`,
      };
    case 'error':
      return {
        lines: answering(channel, 1),
        limit: 'the peer answers when the stream has been quiet, within a second, and not at its last byte',
      };
    case 'cut':
      return { lines: listen(channel, `"SYSTEM:'head -c ${Math.max(1, step.bytes ?? 0)} >/dev/null'"`) };
    case 'full':
      return {
        lines: [
          ...listen(channel, '/dev/null,ignoreeof').map((line) => line.replace(',fork', ',fork,backlog=1')),
          `kill -STOP "$(cat "$dir/${channel}.peer.pid")"; cp "$dir/${channel}.peer.pid" "$dir/${channel}.reader"`,
          `for n in 1 2 3; do sleep 3600 | socat - "UNIX-CONNECT:$dir/${channel}.mig" >/dev/null 2>&1 & echo $! > "$dir/${channel}.filler$n.pid"; done; sleep 0.2`,
        ],
        limit: 'the full queue is made by a stopped listener',
      };
  }
}
