/** A source in postcopy, whose destination is ours: paused, recovered, paused again, and everything in between. */
import { channelUri, peerMessages } from '../../targets/scenario.js';
import type { Episode } from './source.js';
import { fromTable } from './tape.js';
import { badUri } from './values.js';
import { weights } from './weights.js';
import { terminal, type Writer } from './writer.js';

/** Bytes a second: neither half of the migration ends by itself while a walk looks at it. */
export const slow = { 'max-bandwidth': 4096, 'max-postcopy-bandwidth': 4096 } as const;
export const fast = { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 } as const;

/** Where a switch to postcopy has led, or what came instead. */
export const switched = ['postcopy-active', 'postcopy-paused', 'pre-switchover', ...terminal];

/** Begins, and asks for postcopy: in the same breath, or once the migration is on its way. */
export function begin(w: Writer, uri: string): void {
  const { tape } = w;
  if (tape.chance(70)) {
    const commands = [{ execute: 'migrate', arguments: { uri } }, { execute: 'migrate-start-postcopy' }];
    w.steps.push({ do: 'pipeline', at: 'source', commands });
  } else {
    w.command('migrate', { uri });
    if (tape.chance(50)) w.noise();
    w.command('migrate-start-postcopy');
  }
}

/** Capabilities of a source for postcopy, drawn. */
export function capabilities(w: Writer): readonly string[] {
  return [
    'postcopy-ram',
    ...(w.chance('pauseBeforeSwitchover') ? ['pause-before-switchover'] : []),
    ...(w.chance('releaseRam') ? ['release-ram'] : []),
  ];
}

export const postcopy: Episode = (w) => {
  const { tape } = w;
  const on = capabilities(w);
  w.capabilities('source', ...on);
  w.parameters('source', slow);
  const channel = w.peer(tape.pick(['answer', 'answer', 'silent', 'error'] as const));
  begin(w, channelUri(channel));
  if (on.includes('pause-before-switchover')) {
    w.status(switched, 'source', 'likely');
    w.noises(1);
    w.command('migrate-continue', { state: 'pre-switchover' });
  }
  if (w.chance('awaitsTheHold'))
    w.status(
      switched.filter((one) => one !== 'pre-switchover'),
      'source',
      'likely',
    );
  for (let left = 1 + tape.number(7); left > 0; left--) move(w, channel);
  return end(w, channel);
};

function move(w: Writer, channel: string): void {
  const { tape } = w;
  switch (fromTable(tape, weights.postcopy)) {
    case 'noise':
      w.noise();
      return;
    case 'pause':
      w.urgent('migrate-pause');
      paused(w);
      return;
    case 'cut':
      w.steps.push({ do: 'cut', channel });
      paused(w);
      return;
    case 'recover':
      w.command('migrate', { uri: channelUri(channel), resume: true });
      if (tape.chance(60)) w.status(['postcopy-active', 'postcopy-recover', ...terminal]);
      if (tape.chance(30)) w.steps.push({ do: 'release', channel });
      return;
    case 'recover-in-vain':
      inVain(w);
      return;
    case 'message':
      w.steps.push({ do: 'message', channel, message: tape.pick(peerMessages) });
      w.noises(1);
      return;
    case 'cancel':
      w.command('migrate_cancel');
      return;
    case 'stop':
      w.command('stop');
      return;
    case 'cont':
      w.command('cont');
      return;
    case 'heartbeat':
      w.command('x-colo-lost-heartbeat');
      return;
  }
}

const paused = (w: Writer): void => {
  if (w.tape.chance(80)) w.status(['postcopy-paused', ...terminal]);
};

/** A resume that cannot come about: refused at once, later, or held while it connects. */
export function inVain(w: Writer): void {
  const { tape } = w;
  const resume = (uri: string) => w.command('migrate', { uri, resume: true });
  switch (tape.number(3)) {
    case 0:
      resume(badUri(tape));
      return;
    case 1:
      resume(channelUri('none'));
      w.status(['postcopy-paused', ...terminal]);
      return;
    default: {
      const nowhere = w.peer('full');
      resume(channelUri(nowhere));
      w.noises(2);
      w.steps.push({ do: 'cut', channel: nowhere });
    }
  }
}

/** Lets what is left go as fast as it can. */
function end(w: Writer, channel: string): boolean {
  w.parameters('source', fast);
  w.steps.push({ do: 'release', channel });
  w.status([...terminal, 'postcopy-paused', 'postcopy-recover'], 'source', 'likely');
  w.steps.push({ do: 'runstate', at: 'source', is: ['postmigrate', 'running', 'paused'], deadline: 100 });
  w.noises(2);
  return false;
}
