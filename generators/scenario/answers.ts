/**
 * Answers: messages of our own on the return path of a source, right, wrong and out of place, one after another, while it sends,
 * when it has sent everything, and in postcopy. A campaign begins with each of them.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import {
  type ChannelMoment,
  channelUri,
  type PeerMessage,
  peerMessages,
  type Scenario,
  type Step,
  scenarioVersion,
} from '../../targets/scenario.js';
import { Tape } from './tape.js';

const channel = 'back';

const command = (execute: string, args: unknown): Step => ({ do: 'command', at: 'source', execute, arguments: args });
const reaches = (is: ChannelMoment, count?: number): Step => ({
  do: 'channel',
  channel,
  is,
  ...(count === undefined ? {} : { count }),
  deadline: 1500,
});

/** A migration whose postcopy is asked for before anything of it was sent. */
const switchesAtOnce: Step = {
  do: 'pipeline',
  at: 'source',
  commands: [{ execute: 'migrate', arguments: { uri: channelUri(channel) } }, { execute: 'migrate-start-postcopy' }],
};

/** Where the source is when it is answered: the steps that lead there, behind its start. */
const moments: readonly { readonly capability: string; readonly steps: readonly Step[] }[] = [
  {
    capability: 'return-path',
    steps: [command('migrate', { uri: channelUri(channel) }), reaches('end-of-stream')],
  },
  {
    capability: 'return-path',
    steps: [
      command('migrate-set-parameters', { 'max-bandwidth': 1 << 18 }),
      command('migrate', { uri: channelUri(channel) }),
      reaches('announced'),
    ],
  },
  {
    capability: 'postcopy-ram',
    steps: [switchesAtOnce, reaches('switched')],
  },
];

/** Where a postcopy is taken up again: a campaign comes to that only once it has begun, for it takes a while. */
const recovery: (typeof moments)[number] = {
  capability: 'postcopy-ram',
  steps: [
    command('migrate-set-parameters', { 'max-bandwidth': 4096, 'max-postcopy-bandwidth': 4096 }),
    switchesAtOnce,
    reaches('switched'),
    { do: 'status', at: 'source', is: ['postcopy-active'], deadline: 1000 },
    { do: 'cut', channel },
    { do: 'status', at: 'source', is: ['postcopy-paused'], deadline: 1000 },
    command('migrate', { uri: channelUri(channel), resume: true }),
    reaches('connected', 2),
  ],
};

/** Messages by which nothing is changed. */
const harmless: readonly PeerMessage[] = ['pong', 'resume-ack'];

const momentsOf = ({ migration }: Dialect) =>
  moments.filter(({ capability }) => migration.capabilities.includes(capability));

/** How many different ones there are, before any decision. */
export const answersOf = (dialect: Dialect): number => peerMessages.length * momentsOf(dialect).length;

/** The scenario that a tape stands for: its first decision is the message and the moment, the others bring more of them. */
export function answer([number = 0, ...decisions]: readonly number[], dialect: Dialect): Scenario {
  const tape = new Tape(decisions);
  const beyond = decisions.length > 0 && dialect.migration.capabilities.includes(recovery.capability);
  const at = [...momentsOf(dialect), ...(beyond ? [recovery] : [])];
  const message = peerMessages[number % peerMessages.length] as PeerMessage;
  const moment = at[Math.floor(number / peerMessages.length) % at.length] as (typeof moments)[number];
  const { capability, steps } = moment;
  const all = [message];
  // A tape that has ended adds nothing.
  const sometimes = () => tape.number(10) > 6;
  if (sometimes()) all.push(message);
  for (let left = tape.number(3); left > 0; left--) all.push(tape.pick(peerMessages));
  if (sometimes()) all.unshift(tape.pick(peerMessages));
  // What is harmless is followed by the right end.
  if (all.every((one) => harmless.includes(one))) all.push(moment === recovery ? 'resume-ack' : 'shut');
  const end = ['completed', 'failed', moment === recovery ? 'postcopy-active' : 'postcopy-paused'];
  return {
    scenario: scenarioVersion,
    steps: [
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      command('migrate-set-capabilities', { capabilities: [{ capability, state: true }] }),
      { do: 'peer', channel, behaviour: 'silent' },
      ...steps,
      ...all.map((one): Step => ({ do: 'message', channel, message: one })),
      { do: 'status', at: 'source', is: end, deadline: 1000 },
    ],
  };
}
