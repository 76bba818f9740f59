/** What is planted in the reference, between a client and another monitor: as far as it only changes what is said. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Call, Changes, Raised } from '../../reference/faults/fault.js';
import { CommandError } from '../../reference/migration/host.js';
import { loadSchema } from '../../reference/schema/index.js';
import type { Lie, Said, Talk } from './lie.js';

type Titled = Changes & { readonly title: string };

/** Whether a fault acts on what is said alone: what changes commands, steps or data needs the monitor itself. */
export const canBeTold = ({ event, calls, talk, step, wire }: Changes): boolean =>
  step === undefined &&
  wire === undefined &&
  talk?.asked === undefined &&
  talk?.heard === undefined &&
  (event !== undefined || talk !== undefined || Object.keys(calls ?? {}).every((name) => name.startsWith('query-')));

export function asLie(planted: Titled | undefined): Lie | undefined {
  if (planted === undefined || !canBeTold(planted)) return undefined;
  const { title, event, calls, talk: { said, written } = {} } = planted;
  return {
    says: title,
    ...(written === undefined ? {} : { write: written }),
    down: (message, talk) => {
      const events = event === undefined || !('event' in message) ? [message] : raised(message, event, talk);
      const answered = events.map((one) => (calls === undefined ? one : replied(one, calls, talk)));
      return said === undefined ? answered : answered.flatMap((one) => [...toldBy(said, one, talk)]);
    },
  };
}

function raised(message: JsonObject, fault: NonNullable<Changes['event']>, { shared }: Talk): JsonObject[] {
  const { timestamp } = message;
  return fault(message as unknown as Raised, shared).map((one) => ({ timestamp, ...one }) as JsonObject);
}

function replied(message: JsonObject, calls: NonNullable<Changes['calls']>, { command, shared }: Talk): JsonObject {
  const name = command?.execute;
  const fault = typeof name === 'string' ? calls[name] : undefined;
  if (fault === undefined || typeof name !== 'string' || !('return' in message)) return message;
  const call: Call = {
    name,
    args: isObject(command?.arguments) ? command.arguments : {},
    context: { monitorId: 0, oob: false, takeFd: () => undefined },
    memory: shared,
    next: () => message.return,
    ask: () => ({}),
  };
  const { id } = message;
  const echo = id === undefined ? {} : { id };
  try {
    const value = fault(call);
    return { return: (value === undefined ? {} : value) as JsonValue, ...echo };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ...echo, error: { class: error.errorClass, desc: error.desc } };
  }
}

type Saying = NonNullable<NonNullable<Changes['talk']>['said']>;
const asSaid = (said: ReturnType<Saying>[number]): Said =>
  typeof said === 'string' ? Buffer.from(said, 'latin1') : (said as JsonObject);

function toldBy(said: Saying, message: JsonObject, { command, memory, shared, after, say }: Talk): readonly Said[] {
  const name = command?.execute ?? command?.['exec-oob'];
  const told = said(message, {
    schema: loadSchema('3.0'),
    process: shared,
    ...(typeof name === 'string' ? { command: name, oob: command?.execute === undefined } : {}),
    memory,
    after,
    stamp: () => ({ seconds: Math.floor(Date.now() / 1000), microseconds: (Date.now() % 1000) * 1000 }),
    say: (one) => say(asSaid(one)),
  });
  // The same object means the same bytes.
  return told.map((one) => (one === message ? message : asSaid(one)));
}
