/** Steps that do in one what several do: what is left when none of them can go. */
import type { Step } from '../targets/scenario.js';

/** More bytes than any stream of ours has. */
const everything = 2 ** 30;
/** Where a connection may be closed in the place of a pause: somewhere behind the switch of a postcopy, which only a try tells. */
const cuts = [800, 1200, 1600, 2400, 4000, 8000, 20_000, 40_000, 80_000] as const;

/** Scenarios with fewer steps that may show the same, the likeliest first. */
export function folded(steps: readonly Step[]): readonly (readonly Step[])[] {
  return steps.flatMap((step, at) => {
    switch (step.do) {
      case 'peer':
        return holding(steps, step, at);
      case 'cut':
        return cutFeed(steps, step.channel, at);
      case 'command':
      case 'pipeline':
        return [...listening(steps, step, at), ...closing(steps, step, at)];
      case 'status':
        return [...waitingOnce(steps, step, at), ...waitingFor(steps, step, at)];
      case 'runstate':
        return waitingFor(steps, step, at);
      default:
        return [];
    }
  });
}

const replaced = (steps: readonly Step[], at: number, ...by: readonly Step[]): Step[] => [
  ...steps.slice(0, at),
  ...by,
  ...steps.slice(at + 1),
];

/** What has to come at the right moment has time as long as a peer holds the migration where it is. */
function holding(
  steps: readonly Step[],
  { do: _, channel, behaviour }: Extract<Step, { do: 'peer' }>,
  at: number,
): readonly (readonly Step[])[] {
  if (behaviour !== 'answer' && behaviour !== 'silent') return [];
  return [replaced(steps, at, { do: 'peer', channel, behaviour: 'stall' })];
}

/** A stream and the end of its connection. */
function cutFeed(steps: readonly Step[], channel: string, at: number): readonly (readonly Step[])[] {
  const from = steps.slice(0, at).findLastIndex((one) => one.do === 'feed' && one.channel === channel);
  const feed = steps[from];
  if (feed?.do !== 'feed' || feed.cut !== undefined) return [];
  return [replaced(replaced(steps, at), from, { ...feed, cut: everything })];
}

type Commands = Extract<Step, { do: 'command' | 'pipeline' }>;

const without = (step: Commands, name: string): readonly Step[] => {
  if (step.do === 'command') return [];
  const commands = step.commands.filter(({ execute }) => execute !== name);
  return commands.length === 0 ? [] : [{ ...step, commands }];
};

/** A process that listens from its start does not have to be told so. */
function listening(steps: readonly Step[], step: Commands, at: number): readonly (readonly Step[])[] {
  const commands = step.do === 'command' ? [step] : step.commands;
  const told = commands.find(({ execute }) => execute === 'migrate-incoming')?.arguments;
  const uri = typeof told === 'object' && told !== null && 'uri' in told ? told.uri : undefined;
  const from = steps.findIndex((one) => one.do === 'start' && one.at === step.at);
  const start = steps[from];
  if (typeof uri !== 'string' || start?.do !== 'start' || start.options?.incoming !== 'defer') return [];
  const listens: Step = { ...start, options: { ...start.options, incoming: uri } };
  return [replaced(replaced(steps, at, ...without(step, 'migrate-incoming')), from, listens)];
}

/** A peer that closes the connection pauses a postcopy, too. */
function closing(steps: readonly Step[], step: Commands, at: number): readonly (readonly Step[])[] {
  const before = steps[at - 1];
  if (step.do !== 'command' || step.execute !== 'migrate-pause' || before?.do !== 'status') return [];
  const from = steps.findIndex((one) => one.do === 'peer');
  const peer = steps[from];
  if (peer?.do !== 'peer') return [];
  const waits: Step = { ...before, is: ['postcopy-paused'] };
  return cuts.map((bytes) =>
    replaced(replaced(replaced(steps, at), at - 1, waits), from, { ...peer, behaviour: 'cut', bytes }),
  );
}

/** A wait for one thing is no wait for what is there already: what held things up until then may go. */
function waitingFor(
  steps: readonly Step[],
  step: Extract<Step, { do: 'status' | 'runstate' }>,
  at: number,
): readonly (readonly Step[])[] {
  return step.is.length < 2 ? [] : step.is.map((one) => replaced(steps, at, { ...step, is: [one] }));
}

/** Of two waits in a row the second one is enough. */
function waitingOnce(
  steps: readonly Step[],
  { at: endpoint }: Extract<Step, { do: 'status' }>,
  at: number,
): readonly (readonly Step[])[] {
  const next = steps[at + 1];
  return next?.do === 'status' && next.at === endpoint ? [replaced(steps, at)] : [];
}
