/** A destination that we feed with streams of our own: whole, cut, damaged, out of order, silent, and postcopy by hand. */
import { channelUri, type FeedPart, fedMemory, feedParts } from '../../targets/scenario.js';
import { fromTable } from './tape.js';
import { weights } from './weights.js';
import type { Writer } from './writer.js';

const channel = 'fed';

const whole: readonly FeedPart[] = ['header', 'configuration', 'ram', 'pages', 'ram-end', 'end'];
const toTheSwitch: readonly FeedPart[] = [
  'header',
  'configuration',
  'return-path',
  'advise',
  'ram',
  'discard',
  'switch',
];
const rest: readonly FeedPart[] = ['rest', 'ram-end', 'end'];

const ends = ['completed', 'failed', 'postcopy-paused', 'postcopy-active', 'postcopy-recover', 'colo'];

export function fed(w: Writer): void {
  const { tape } = w;
  const kind = fromTable(tape, weights.fed);
  const fromTheStart = kind !== 'postcopy' && w.chance('listensFromTheStart');
  const paused = w.chance('paused') ? { paused: true } : {};
  const incoming = fromTheStart ? channelUri(channel) : 'defer';
  w.start('destination', { memory: fedMemory, incoming, ...paused });
  const events = w.chance('events') ? ['events'] : [];
  w.capabilities('destination', ...events, ...(kind === 'postcopy' ? ['postcopy-ram'] : []));
  if (!fromTheStart) {
    w.noises(2, 'destination');
    w.command('migrate-incoming', { uri: channelUri(channel) }, 'destination');
  }
  w.noises(1, 'destination');
  switch (kind) {
    case 'whole':
      feed(w, tape.chance(30) ? ['header', 'configuration', 'return-path', ...whole.slice(2)] : whole);
      break;
    case 'cut':
      feed(w, whole, { cut: tape.pick([0, 1, 7, 8, 12, 30, tape.number(1200)]) });
      break;
    case 'flipped':
      feed(w, whole, { flip: tape.number(300) });
      break;
    case 'shuffled':
      feed(w, shuffled(w));
      break;
    case 'silent':
      feed(w, ['header']);
      w.noises(4, 'destination');
      w.steps.push({ do: 'cut', channel });
      break;
    case 'postcopy':
      postcopy(w);
      return;
  }
  // A destination that cannot load ends; one that can goes on.
  w.status(ends, 'destination');
  w.noises(3, 'destination');
}

/** Sends parts, at one go or in slices. */
function feed(w: Writer, parts: readonly FeedPart[], more: { cut?: number; flip?: number } = {}): void {
  const every = w.tape.chance(25) ? { every: 1 + w.tape.number(64) } : {};
  w.steps.push({ do: 'feed', channel, parts, ...more, ...every });
}

/** A stream with a part too many, too few, or in the wrong place. */
function shuffled(w: Writer): readonly FeedPart[] {
  const { tape } = w;
  const parts = [...(tape.chance(50) ? whole : [...toTheSwitch, ...rest])];
  const at = tape.number(parts.length);
  switch (tape.number(3)) {
    case 0:
      parts.splice(at, 0, tape.pick(feedParts));
      break;
    case 1:
      parts.splice(at, 1);
      break;
    default:
      parts.splice(at, 1, tape.pick(feedParts));
  }
  return parts;
}

/** The guest goes first and its memory follows, if at all. */
function postcopy(w: Writer): void {
  const { tape } = w;
  feed(w, toTheSwitch, tape.chance(15) ? { cut: tape.number(600) } : {});
  w.status(['postcopy-active', 'failed'], 'destination');
  let at = channel;
  const recovered = () => at !== channel;
  for (let left = 1 + tape.number(5); left > 0; left--) {
    tape.weighted<() => void>([
      [4, () => w.noise('destination')],
      [3, () => w.urgent('migrate-pause', undefined, 'destination')],
      [3, () => w.steps.push({ do: 'cut', channel: at })],
      [2, () => w.steps.push({ do: 'feed', channel: at, parts: [tape.pick(['garbage', 'ping', 'pages', 'discard'])] })],
      [
        6,
        () => {
          w.status(['postcopy-paused'], 'destination');
          at = w.channel();
          w.urgent('migrate-recover', { uri: channelUri(at) }, 'destination');
          if (tape.chance(60)) w.noises(1, 'destination');
          const parts = tape.pick<readonly FeedPart[]>([
            ['recv-bitmap', 'resume'],
            ['recv-bitmap'],
            ['resume'],
            ['garbage'],
          ]);
          w.steps.push({ do: 'feed', channel: at, parts });
          w.status(['postcopy-active', 'postcopy-recover'], 'destination');
        },
      ],
      [2, () => w.steps.push({ do: 'feed', channel: at, parts: rest })],
    ])();
  }
  if (!recovered() || tape.chance(50)) w.steps.push({ do: 'feed', channel: at, parts: rest });
  w.status(['completed', 'failed', 'postcopy-paused'], 'destination');
  w.noises(3, 'destination');
}
