/**
 * Answers of commands that touch nothing of what the model follows, where there is only one thing to say: what only asks is
 * answered, and what needs a descriptor is refused where none was passed.
 */

import { parseStart } from '../oracle/first-state.js';
import { isObject, type JsonObject, type JsonValue, parseJson, sameJson, stringifyJson } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Schema } from '../qapi/schema.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import type { Symptom } from './symptom.js';

interface Plain {
  readonly row: string;
  /** Success keeps something under this name, or needs what is kept so, and gives it up. */
  readonly gives?: string;
  readonly takes?: string;
  /** What is wrong with a reply, as what should have come; `undefined` when nothing is. */
  readonly due: (
    reply: JsonObject,
    surroundings: {
      readonly start: JsonObject;
      readonly dialect: Dialect;
      readonly atRest: boolean;
      readonly has: boolean;
      /** The descriptor that a set had been given when this was sent, with nothing else in between. */
      readonly added: JsonValue | undefined;
      /** When this was sent a migration was held back before its switch-over. */
      readonly held: boolean;
    },
  ) => string | undefined;
}

/** A command that is not answered yet. */
interface Asked {
  readonly name: string;
  readonly rule: Plain;
  /** Descriptors rode on it. */
  readonly rode: boolean;
  /** The descriptor that a set was given just before. */
  readonly added: JsonValue | undefined;
  /** A migration is held back, and will be until more than a question comes. */
  readonly held: boolean;
}

const answered = (row: string): Plain => ({ row, due: (reply) => ('error' in reply ? 'success' : undefined) });
/** … where no migration was ever asked for. */
const answeredAtRest = (row: string): Plain => ({
  row,
  due: (reply, { atRest }) => (atRest && 'error' in reply ? 'success' : undefined),
});
/** … where a descriptor is there for it. */
const given = (row: string): Plain => ({
  row,
  due: (reply, { has }) => (has && 'error' in reply ? 'success' : undefined),
});
const refused = (row: string): Plain => ({ row, due: (reply) => ('return' in reply ? 'an error' : undefined) });

/** By the command and its arguments, as the generators write them. */
const plain: ReadonlyMap<string, Plain> = new Map([
  ['query-version', answered('QMP-BASE-01')],
  ['query-commands', answered('QMP-BASE-03')],
  ['query-events', answered('QMP-BASE-04')],
  ['query-qmp-schema', answered('QMP-BASE-05')],
  [
    'query-fdsets',
    {
      row: 'QMP-FD-13',
      due: (reply, { added }) => {
        if ('error' in reply) return 'success';
        return added === undefined || shows(reply.return, added) ? undefined : `a set with descriptor ${added}`;
      },
    },
  ],
  [
    'query-yank',
    {
      row: 'QMP-D-04',
      due: (reply, { held }) => {
        if ('error' in reply) return 'success';
        return held && !isAmong(reply.return, 'migration') ? 'the migration that is under way' : undefined;
      },
    },
  ],
  [
    'query-name',
    {
      row: 'QMP-BASE-02',
      due: (reply, { start }) => {
        const due = { return: typeof start.name === 'string' ? { name: start.name } : {} };
        return sameJson(reply.return ?? null, due.return) ? undefined : stringifyJson(due);
      },
    },
  ],
  ['human-monitor-command {"command-line":"info status"}', answered('QMP-BASE-11')],
  [
    'system_wakeup',
    {
      row: 'QMP-BASE-14',
      due: (reply, { dialect }) => {
        const due = dialect.protocol.wakeupError === undefined ? 'return' : 'error';
        return due in reply ? undefined : due === 'return' ? 'success' : 'an error: nobody is asleep';
      },
    },
  ],
  ['getfd {"fdname":"qmpspec"}', refused('QMP-FD-04')],
  ['closefd {"fdname":"qmpspec"}', refused('QMP-FD-08')],
  ['add-fd', refused('QMP-FD-04')],
  ['remove-fd {"fdset-id":4711}', refused('QMP-FD-14')],
  // With a descriptor that came, and what became of it.
  ['getfd {"fdname":"qmpspec-fd"}', { ...given('QMP-FD-05'), gives: 'qmpspec-fd' }],
  ['closefd {"fdname":"qmpspec-fd"}', { ...given('QMP-FD-08'), takes: 'qmpspec-fd' }],
  ['add-fd {"fdset-id":4712}', { ...given('QMP-FD-12'), gives: '4712' }],
  ['remove-fd {"fdset-id":4712}', { ...given('QMP-FD-14'), takes: '4712' }],
  ['xen-set-global-dirty-log {"enable":true}', answeredAtRest('MIG-CMD-XEN-02')],
  ['xen-set-global-dirty-log {"enable":false}', answeredAtRest('MIG-CMD-XEN-02')],
  // A file that is not there.
  ['xen-load-devices-state {"filename":"none.mig"}', refused('MIG-CMD-XEN-01')],
]);

/** Whether one of these sets has the descriptor. */
const shows = (sets: JsonValue | undefined, fd: JsonValue): boolean =>
  Array.isArray(sets) &&
  sets.some((set) => isObject(set) && Array.isArray(set.fds) && set.fds.some((one) => isObject(one) && one.fd === fd));

/** Whether something of this type is in a list. */
const isAmong = (list: JsonValue | undefined, type: string): boolean =>
  Array.isArray(list) && list.some((one) => isObject(one) && one.type === type);

/** One question with an id of ours, and nothing else. */
const question = /^\{"execute":"(query-[a-z-]+)",(?:"arguments":\{\},)?"id":"(qs[\d.]+)"\}\n?$/;

/**
 * Knows of a migration that is held back before its switch-over, and will be until more than a question comes: what was asked
 * once all else had been answered says so. Only where there is one connection, on which everything has its order.
 */
class HeldBack {
  private answered = false;
  private several = false;
  private readonly asked = new Set<string>();

  get now(): boolean {
    return this.answered && !this.several;
  }

  connected({ at }: Entry): void {
    this.several ||= at !== instanceOf({ at });
  }

  sent({ text }: Entry): void {
    const [, name, id = ''] = question.exec(text) ?? [];
    if (name === 'query-migrate') this.asked.add(id);
    else if (name === undefined) {
      this.asked.clear();
      this.answered = false;
    }
  }

  received({ id, return: told }: JsonObject): void {
    if (typeof id !== 'string' || !this.asked.delete(id)) return;
    this.answered = isObject(told) && told.status === 'pre-switchover';
  }
}

/** Names of the commands of which something is known. */
const named: ReadonlySet<string> = new Set([...plain.keys()].map((key) => key.split(' ')[0] as string));

const instanceOf = ({ at }: Pick<Entry, 'at'>): string => at.split('#')[0] as string;

/** Nothing but this, once. */
const askedOfSets = /^\{"execute":"query-fdsets","id":"qs[\d.]+"\}\n?$/;

/** A command with an id of ours, as a session writes it. */
const asked = /^\{"execute":"([a-z0-9_-]+)",(?:"arguments":(\{.*\}),)?"id":"(qs[\d.]+)"\}$/;

/** The first of these answers that is wrong. @param schema of the target, by its own word */
export function plainSymptoms(transcript: Transcript, schema: Schema, dialect: Dialect): Symptom[] {
  const open = new Map<string, Asked>();
  const negotiated = new Set<string>();
  const starts = new Map<string, JsonObject>();
  let atRest = true;
  // Descriptors ride on what is sent next; those that are kept, by connection and name.
  let riding = false;
  const kept = new Set<string>();
  let added: JsonValue | undefined;
  const held = new Map<string, HeldBack>();
  const heldAt = (entry: Entry): HeldBack => {
    const one = held.get(instanceOf(entry)) ?? new HeldBack();
    held.set(instanceOf(entry), one);
    return one;
  };
  for (const entry of transcript.entries) {
    switch (entry.kind) {
      case 'started':
        starts.set(entry.at, parseStart(entry.text) as JsonObject);
        held.delete(instanceOf(entry));
        break;
      case 'note':
        if (/^\d+ descriptors ride/.test(entry.text)) riding = true;
        break;
      case 'connected':
        negotiated.delete(entry.at);
        heldAt(entry).connected(entry);
        added = undefined;
        break;
      case 'disconnected':
        added = undefined;
        break;
      case 'sent':
        // However it is spelled.
        if (/"migrate(?:-incoming)?"|\\u/.test(entry.text)) atRest = false;
        if (!askedOfSets.test(entry.text)) added = undefined;
        heldAt(entry).sent(entry);
        note(entry, schema, negotiated, open, { rode: riding, added, held: heldAt(entry).now });
        riding = false;
        break;
      case 'received': {
        if (entry.stale) break;
        const reply = entryValue(entry);
        if (!isObject(reply) || typeof reply.id !== 'string') break;
        heldAt(entry).received(reply);
        const {
          name = '',
          rule,
          rode = false,
          added: given,
          held: waits = false,
        } = open.get(`${entry.at} ${reply.id}`) ?? {};
        if (name === 'qmp_capabilities') {
          if ('return' in reply) negotiated.add(entry.at);
          break;
        }
        const start = starts.get(instanceOf(entry));
        const { gives, takes } = rule ?? {};
        const has = gives !== undefined ? rode : kept.delete(`${entry.at} ${takes}`);
        const surroundings = {
          dialect,
          atRest: atRest && start?.incoming === undefined,
          has,
          added: given,
          held: waits,
        };
        const due = start === undefined ? undefined : rule?.due(reply, { start, ...surroundings });
        if (rode && gives !== undefined && 'return' in reply) kept.add(`${entry.at} ${gives}`);
        if (name === 'add-fd' && isObject(reply.return)) added = reply.return.fd;
        if (due === undefined || rule === undefined) break;
        const { row } = rule;
        const what = 'error' in reply ? 'error' : 'success';
        return [
          {
            kind: 'divergence',
            subject: `${what} of ${name}`,
            rows: [row],
            state: '',
            expected: [due],
            got: entry.text.slice(0, 200),
            entry: entry.n,
          },
        ];
      }
    }
  }
  return [];
}

/** Negotiations, and commands in command mode of which something is known. */
function note(
  { at, text }: Entry,
  schema: Schema,
  negotiated: ReadonlySet<string>,
  open: Map<string, Asked>,
  before: Pick<Asked, 'rode' | 'added' | 'held'>,
): void {
  for (const line of text.split('\n')) {
    const [, name = '', args, id = ''] = asked.exec(line) ?? [];
    if (name === 'qmp_capabilities') open.set(`${at} ${id}`, { name, rule: negotiation, ...before });
    if (!named.has(name) || !negotiated.has(at) || !schema.commands.has(name)) continue;
    const rule = plain.get(args === undefined || args === '{}' ? name : `${name} ${plainly(args)}`);
    if (rule !== undefined) open.set(`${at} ${id}`, { name, rule, ...before });
  }
}

/** Arguments as the rules write them: without the folder of the run. */
const plainly = (args: string): string => stringifyJson(parseJson(args)).replace(/"[^"]*\/([a-z0-9]+\.mig)"/g, '"$1"');

/** Judged by others. */
const negotiation: Plain = { row: 'QMP-NEG-03', due: () => undefined };
