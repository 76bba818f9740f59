/**
 * Benign variations: what a monitor is free to do and the honest reference does not. Planted as faults are (`--vary NAME`);
 * a suite, an oracle or a fuzzer that objects to one of them is wrong.
 */
import type { Reply } from '../monitor/reply.js';
import type { Piece, Talk, TalkFaults } from '../monitor/talk-faults.js';
import type { CallFault, Changes, Members } from './fault.js';
import { errorOf, isEvent, isGreeting, isMembers } from './messages.js';

export interface Variation extends Changes {
  /** What a monitor with it does, continuing "a monitor that …". */
  readonly title: string;
}

const written = (title: string, write: NonNullable<TalkFaults['written']>): Variation => ({
  title,
  talk: { written: write },
});
const said = (title: string, say: NonNullable<TalkFaults['said']>): Variation => ({ title, talk: { said: say } });
const returned = <T>(query: string, change: (value: T) => unknown): Readonly<Record<string, CallFault>> => ({
  [query]: (call) => change(call.next() as T),
});

/** At most 200 pieces: a schema byte by byte would take seconds. */
const pieces = (text: string, size: number): Piece[] => {
  const length = Math.min(text.length, size * 200);
  const parts: Piece[] = [];
  for (let at = 0; at < length; at += size) parts.push({ text: text.slice(at, Math.min(at + size, length)) });
  return length < text.length ? [...parts, { text: text.slice(length) }] : parts;
};

/** Changes what stands between the tokens of a JSON text; strings stay as they are. */
const betweenTokens = (text: string, change: (gap: string) => string): string =>
  text
    .split(/("(?:[^"\\]|\\.)*")/)
    .map((part, i) => (i % 2 === 1 ? part : change(part)))
    .join('');
/** The layout of a monitor that was asked to write its messages over several lines is not free (QMP-TRANS-12). */
const line = (text: string, change: (gap: string) => string): Piece[] => {
  const message = text.slice(0, -2);
  return [{ text: message.includes('\n') ? text : `${betweenTokens(message, change)}\r\n` }];
};

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isMembers(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
};

const news = (number: number, { stamp }: Pick<Talk, 'stamp'>): Reply => ({
  timestamp: stamp(),
  event: 'X_QMPSPEC_NEWS',
  data: { number },
});

const ownWords = 'No. (This monitor has texts of its own.)';
/** What a process has described in its own words: it does so wherever it tells the same again. */
const rewordings = new WeakMap<object, Set<string>>();
const rewordedOf = (process: object): Set<string> => {
  const known = rewordings.get(process) ?? new Set<string>();
  rewordings.set(process, known);
  return known;
};

type Entities = readonly Members[];
/** A type gets one more member; who asks for the schema is told of it. */
const moreMembers =
  (type: string, member: Members, schema: CallFault | undefined): CallFault =>
  (call) => {
    const entities = (schema?.(call) ?? call.next()) as Entities;
    const name = entities.find((entity) => entity.name === type)?.['ret-type'];
    const list = entities.find((entity) => entity.name === name);
    const object = (list?.['element-type'] ?? name) as string;
    return entities.map((entity) =>
      entity.name === object ? { ...entity, members: [...((entity.members ?? []) as Entities), member] } : entity,
    );
  };

export const variations: ReadonlyMap<string, Variation> = new Map(
  Object.entries<Variation>({
    'one-byte-writes': written('writes messages byte by byte', (text) => pieces(text, 1)),
    'split-writes': written('writes messages in pieces', (text) => pieces(text, 7)),
    'slow-writes': written('waits in the middle of each message', (text) => [
      { text: text.slice(0, text.length >> 1) },
      { text: text.slice(text.length >> 1), after: 3 },
    ]),
    'late-line-ends': written('writes the line end of a message by itself, later', (text) => [
      { text: text.slice(0, -2) },
      { text: '\r', after: 1 },
      { text: '\n', after: 1 },
    ]),
    'slow-replies': written('says everything 10 ms later', (text) => [{ text, after: 10 }]),
    'more-blanks': written('writes blanks and tabs between tokens', (text) =>
      line(text, (gap) => gap.replaceAll(':', ' :\t ').replaceAll(',', '  , ')),
    ),
    'no-blanks': written('writes no blanks between tokens', (text) => line(text, (gap) => gap.replaceAll(' ', ''))),
    'members-reversed': said('writes members in another order', (message) => [reversed(message) as Reply]),
    'timestamp-last': said('writes the timestamp of an event last', (message) => {
      if (!isEvent(message)) return [message];
      const { timestamp, ...rest } = message;
      return [{ ...rest, timestamp }];
    }),
    'long-escapes': written('writes letters as escapes', (text) => [
      {
        text: text.replace(/"((?:[^"\\]|\\.)*)"/g, (whole, inner: string) =>
          inner === 'desc' ? '"\\u0064esc"' : whole,
        ),
      },
    ]),
    'escaped-values': written('writes first letters of texts as escapes', (text) => [
      { text: text.replace(/": "([a-z])/g, (_, letter: string) => `": "\\u00${letter.charCodeAt(0).toString(16)}`) },
    ]),
    'other-events': said('tells now and then that the guest has woken up', (message, { command, memory, stamp }) => {
      if (command === undefined || command === 'qmp_capabilities' || isGreeting(message)) return [message];
      const count = Number(memory.get('replies') ?? 0) + 1;
      memory.set('replies', count);
      return count % 3 === 0 ? [message, { timestamp: stamp(), event: 'WAKEUP' }] : [message];
    }),
    'unknown-event': said('says an event that nobody knows after the negotiation', (message, talk) =>
      talk.command === 'qmp_capabilities' && 'return' in message ? [message, news(0, talk)] : [message],
    ),
    'unknown-events': said('says an event that nobody knows before each reply and behind it', (message, talk) =>
      talk.command === undefined || talk.command === 'qmp_capabilities' || isGreeting(message)
        ? [message]
        : [news(1, talk), message, news(2, talk)],
    ),
    'unknown-events-later': said('says an event that nobody knows a while after each reply', (message, talk) => {
      const { command, after, say } = talk;
      if (command !== undefined && command !== 'qmp_capabilities' && 'return' in message)
        after(4, () => say(news(3, talk)));
      return [message];
    }),
    'error-texts': said('describes errors in its own words', (message, { command, process }) => {
      const reworded = rewordedOf(process);
      if ('error' in message) {
        const error = errorOf(message);
        const desc = String(error.desc);
        // Not the protocol's: the reference's own refusal to start programs.
        if (desc.includes('switched off')) return [message];
        reworded.add(desc);
        return [{ ...message, error: { ...error, desc: ownWords } }];
      }
      const info = message.return;
      const again = command === 'query-migrate' && isMembers(info) && reworded.has(String(info['error-desc']));
      return [again ? { ...message, return: { ...info, 'error-desc': ownWords } } : message];
    }),
    'commands-reordered': {
      title: 'lists its commands in another order',
      calls: returned<Entities>('query-commands', (list) => [...list].reverse()),
    },
    'schema-reordered': {
      title: 'lists its schema in another order',
      calls: returned<Entities>('query-qmp-schema', (list) => [...list].reverse()),
    },
    'schema-renumbered': {
      title: 'has other names for the types of its schema',
      calls: returned<Entities>('query-qmp-schema', (list) => {
        const names = new Set(
          list
            .filter(({ 'meta-type': meta }) => meta !== 'command' && meta !== 'event' && meta !== 'builtin')
            .map(({ name }) => name),
        );
        // An array is named after its element.
        const another = (name: string): string =>
          name.startsWith('[') ? `[${another(name.slice(1, -1))}]` : names.has(name) ? renumbered(name) : name;
        const change = (value: unknown): unknown => {
          if (Array.isArray(value)) return value.map(change);
          if (!isMembers(value)) return value;
          return Object.fromEntries(
            Object.entries(value).map(([key, member]) => {
              const refers =
                ['arg-type', 'ret-type', 'element-type', 'type'].includes(key) ||
                (key === 'name' && 'meta-type' in value);
              return [key, refers && typeof member === 'string' ? another(member) : change(member)];
            }),
          );
        };
        return list.map(change);
      }),
    },
    'more-commands': {
      title: 'has a command more than the baseline',
      talk: {
        asked: (request) => {
          const kind = ['execute', 'exec-oob'].find((one) => request.get(one) === 'x-qmpspec-more');
          return kind === undefined ? request : new Map(request).set(kind, 'query-memory-size-summary');
        },
      },
      calls: {
        ...returned<Entities>('query-commands', (list) => [...list, { name: 'x-qmpspec-more' }]),
        ...returned<Entities>('query-qmp-schema', (list) => {
          const like = list.filter((one) => one['meta-type'] === 'command' && one.name === 'query-memory-size-summary');
          return [...list, ...like.map((one) => ({ ...one, name: 'x-qmpspec-more', 'allow-oob': false }))];
        }),
      },
    },
    'more-statistics': {
      title: 'shows a member more in query-migrate, and tells so in its schema',
      calls: {
        ...returned<Members>('query-migrate', (info) =>
          info.status === undefined ? info : { ...info, 'x-qmpspec-more': 1 },
        ),
        'query-qmp-schema': moreMembers(
          'query-migrate',
          { name: 'x-qmpspec-more', type: 'int', default: null },
          undefined,
        ),
      },
    },
    'more-parameters': {
      title: 'shows a parameter more, and tells so in its schema',
      calls: {
        ...returned<Members>('query-migrate-parameters', (value) => ({ ...value, 'x-qmpspec-more': 1 })),
        'query-qmp-schema': moreMembers(
          'query-migrate-parameters',
          { name: 'x-qmpspec-more', type: 'int', default: null },
          undefined,
        ),
      },
    },
    'other-package': said('has another package name in its version', (message) => {
      const change = (version: Members) => ({ ...version, package: 'another monitor, build 7' });
      if (isGreeting(message)) {
        const greeting = message.QMP as Members;
        return [{ QMP: { ...greeting, version: change(greeting.version as Members) } }];
      }
      // By what it looks like: which command a reply is to cannot be told of all.
      if (!isMembers(message.return) || !isMembers(message.return.qemu)) return [message];
      return [{ ...message, return: change(message.return) }];
    }),
    'status-late': said(
      'announces from beside its commands 8 ms late that a migration became active or ended',
      (message, talk) => {
        const { memory, after, say, command } = talk;
        const waiting = (memory.get('waiting') ?? []) as Reply[];
        memory.set('waiting', waiting);
        if (isEvent(message)) {
          if (waiting.length === 0) {
            const early = message.event !== 'MIGRATION' && message.event !== 'MIGRATION_PASS';
            const byCommand = ['setup', 'cancelling'].includes(String((message.data as Members | undefined)?.status));
            if (early || byCommand) return [message];
          }
          // A load that failed ends the process: nothing can be told later.
          if ((message.data as Members | undefined)?.status === 'failed') return [...waiting.splice(0), message];
          waiting.push(message);
          if (waiting.length === 1) after(8, () => waiting.splice(0).forEach(say));
          return [];
        }
        // What a command itself announces comes before its reply, and so does all that was before.
        return command === undefined || command.startsWith('query-') ? [message] : [...waiting.splice(0), message];
      },
    ),
  }),
);

const renumbered = (name: string): string => `t-${[...name].reverse().join('')}`;
