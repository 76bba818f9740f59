/** What is wrong with greetings, negotiation, the form of messages and events, several monitors, and out-of-band commands. */
import type { JsonObject } from '../monitor/json/value.js';
import { type Reply, success } from '../monitor/reply.js';
import type { Piece, Said, Talk, TalkFaults } from '../monitor/talk-faults.js';
import { type Fault, inArea, type Members } from './fault.js';
import { errorOf, idOf, isEvent, isGreeting, isMembers, isReply, without } from './messages.js';

type Planned = Omit<Fault, 'area'>;
type Written = (text: string) => string;

const fault = (title: string, rows: readonly string[], talk: TalkFaults): Planned => ({ title, rows, talk });
const greets = (
  title: string,
  rows: readonly string[],
  change: (greeting: Members, talk: Talk) => Said | readonly Said[],
): Planned =>
  fault(title, rows, {
    said: (message, talk) => {
      if (!isGreeting(message)) return [message];
      const said = change(message.QMP as Members, talk);
      return Array.isArray(said) ? (said as readonly Said[]) : [said as Said];
    },
  });
const writes = (title: string, rows: readonly string[], change: Written): Planned =>
  fault(title, rows, { written: (text): readonly Piece[] => [{ text: change(text) }] });
const says = (title: string, rows: readonly string[], change: (message: Reply) => Said | undefined): Planned =>
  fault(title, rows, {
    said: (message) => {
      const said = change(message);
      return said === undefined ? [] : [said];
    },
  });
const stamps = (title: string, rows: readonly string[], change: (seconds: number, microseconds: number) => unknown) =>
  says(title, rows, (message) => {
    if (!isEvent(message)) return message;
    const { seconds, microseconds } = message.timestamp as Members;
    return { ...message, timestamp: change(Number(seconds), Number(microseconds)) };
  });
const succeedsOn = (title: string, rows: readonly string[], desc: RegExp) =>
  says(title, rows, (message) =>
    desc.test(String(errorOf(message).desc)) ? success(idOf(message), undefined) : message,
  );
const mapNumbers = (value: unknown, change: (number: number) => unknown): unknown => {
  if (typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapNumbers(item, change));
  if (!isMembers(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapNumbers(member, change)]));
};
const version = (greeting: Members): Members => greeting.version as Members;

export const talkFaults = inArea('protocol', {
  'greeting-with-more': greets('greets with a member that nobody asked for', ['QMP-GREET-02'], (greeting) => ({
    QMP: { ...greeting, motd: 'hello' },
  })),
  'greeting-beside-more': greets('greets with a member beside QMP', ['QMP-GREET-02'], (greeting) => ({
    QMP: greeting,
    id: 0,
  })),
  'greeting-without-capabilities': greets(
    'greets without capabilities',
    ['QMP-GREET-02', 'QMP-GREET-04'],
    (greeting) => ({
      QMP: without(greeting, 'capabilities'),
    }),
  ),
  'greeting-capabilities-numbers': greets('numbers its capabilities', ['QMP-GREET-04'], (greeting) => ({
    QMP: { ...greeting, capabilities: [1] },
  })),
  'greeting-version-text': greets('greets with a micro version that is text', ['QMP-GREET-03'], (greeting) => {
    const { qemu } = version(greeting);
    const { micro } = qemu as Members;
    return {
      QMP: { ...greeting, version: { ...version(greeting), qemu: { ...(qemu as Members), micro: String(micro) } } },
    };
  }),
  'greeting-without-package': greets('greets without a package', ['QMP-GREET-03'], (greeting) => ({
    QMP: { ...greeting, version: without(version(greeting), 'package') },
  })),
  'greeting-other-than-version': greets(
    'greets with another version than query-version tells',
    ['QMP-GREET-03'],
    (greeting) => ({
      QMP: { ...greeting, version: { ...version(greeting), package: 'another' } },
    }),
  ),
  'greeting-twice': greets('greets twice', ['QMP-GREET-01'], (greeting) => [{ QMP: greeting }, { QMP: greeting }]),
  'event-before-negotiation': greets(
    'says an event right after its greeting',
    ['QMP-GREET-01', 'QMP-NEG-15'],
    (greeting, talk) => [{ QMP: greeting }, { timestamp: talk.stamp(), event: 'RESUME' }],
  ),
  'negotiation-optional': succeedsOn(
    'answers with success before the negotiation',
    ['QMP-NEG-01'],
    /^Expecting capabilities negotiation/,
  ),
  'negotiation-error-class': says(
    'tells what must wait for the negotiation as GenericError',
    ['QMP-NEG-01', 'QMP-ERR-02'],
    (message) =>
      String(errorOf(message).desc).startsWith('Expecting capabilities')
        ? { ...message, error: { ...errorOf(message), class: 'GenericError' } }
        : message,
  ),
  'negotiation-twice': succeedsOn('accepts a second qmp_capabilities', ['QMP-NEG-10'], /already complete/),
  'negotiation-enables-anything': fault('enables capabilities that there are not', ['QMP-NEG-05', 'QMP-NEG-06'], {
    asked: (request) =>
      request.get('execute') === 'qmp_capabilities' ? new Map(request).set('arguments', new Map()) : request,
  }),
  'line-feed-only': writes('ends lines with LF alone', ['QMP-TRANS-05'], (text) => text.replaceAll('\r\n', '\n')),
  'line-end-missing': writes('ends replies without a line end', ['QMP-TRANS-05'], (text) => text.replace('\r\n', ' ')),
  'lines-split': writes('writes a message on two lines', ['QMP-TRANS-06'], (text) => text.replace(', ', ',\r\n ')),
  'raw-bytes': writes('writes letters beyond ASCII as they are', ['QMP-OUT-01'], (text) =>
    text.replace(/\\u00[89A-F][0-9A-F]/g, (sequence) =>
      Buffer.from(String.fromCharCode(Number.parseInt(sequence.slice(2), 16)), 'utf8').toString('latin1'),
    ),
  ),
  'controls-lost': writes('leaves control characters out of texts', ['QMP-OUT-02'], (text) =>
    text.replace(/\\u00[01][0-9A-F]|\\[bft]/g, ''),
  ),
  'quotes-wrong': writes('closes names in texts with a byte that texts do not allow', ['QMP-OUT-02'], (text) =>
    text.replace(/'( [a-z])/g, '\\$1'),
  ),
  'rubbish-between': says('writes a word between messages', ['QMP-EVT-06', 'QMP-TRANS-06'], (message) =>
    isEvent(message) ? 'news' : message,
  ),
  'numbers-as-text': says('writes numbers as text', ['QMP-OUT-04', 'MIG-CMD-QPAR-01'], (message) =>
    'return' in message ? { ...message, return: mapNumbers(message.return, String) } : message,
  ),
  'numbers-as-fractions': says('writes numbers as fractions', ['QMP-OUT-04', 'MIG-CMD-QPAR-01'], (message) =>
    'return' in message ? { ...message, return: mapNumbers(message.return, (number) => number + 0.5) } : message,
  ),
  'members-twice': writes('writes what it returns twice into one reply', ['QMP-REPLY-01'], (text) =>
    text.replace(/^\{"return": \{\}/, '{"return": [], "return": {}'),
  ),
  'strings-with-quotes-lost': fault(
    'loses the last character of the commands it echoes',
    ['QMP-CMD-09', 'QMP-ERR-06'],
    {
      said: (message) => {
        const { desc } = errorOf(message);
        return typeof desc === 'string' ? [{ ...message, error: { ...errorOf(message), desc: 5 } }] : [message];
      },
    },
  ),
  'blank-lines-answered': fault('answers blank lines', ['QMP-TRANS-09'], {
    heard: (chunk) => Buffer.from(chunk.toString('latin1').replaceAll('\n\n', '\n{}\n'), 'latin1'),
  }),
  'tabs-not-blank': fault('does not take a tab for a blank', ['QMP-TRANS-09'], {
    heard: (chunk) => Buffer.from(chunk.toString('latin1').replaceAll('\t', '`'), 'latin1'),
  }),
  'escapes-lost': fault('does not know escaped letters', ['QMP-CMD-07', 'QMP-STR-01'], {
    heard: (chunk) => Buffer.from(chunk.toString('latin1').replace(/\\u00([2-7][0-9a-fA-F])/g, '$1'), 'latin1'),
  }),
  'event-id': says('gives events an id', ['QMP-EVT-01'], (message) =>
    isEvent(message) ? { ...message, id: 1 } : message,
  ),
  'event-empty-data': says('gives events data that have none', ['QMP-EVT-01'], (message) =>
    isEvent(message) && message.data === undefined ? { ...message, data: {} } : message,
  ),
  'event-without-timestamp': says('does not stamp events', ['QMP-EVT-01'], (message) =>
    isEvent(message) ? without(message, 'timestamp') : message,
  ),
  'event-as-reply': says('wraps events in return', ['QMP-EVT-01', 'QMP-REPLY-08'], (message) =>
    isEvent(message) ? { return: message } : message,
  ),
  'timestamp-number': stamps('stamps events with a single number', ['QMP-EVT-02'], (seconds) => seconds),
  'timestamp-text': stamps('stamps events in text', ['QMP-EVT-02'], (seconds, microseconds) => ({
    seconds: String(seconds),
    microseconds: String(microseconds),
  })),
  'timestamp-fraction': stamps('stamps events with fractions of a second', ['QMP-EVT-02'], (seconds, microseconds) => ({
    seconds: seconds + 0.5,
    microseconds,
  })),
  'timestamp-milliseconds': stamps('stamps events in milliseconds', ['QMP-EVT-02'], (seconds, microseconds) => ({
    seconds: seconds * 1000,
    microseconds,
  })),
  'timestamp-overflow': stamps(
    'stamps events with more microseconds than a second has',
    ['QMP-EVT-02'],
    (seconds, microseconds) => ({
      seconds: seconds - 1,
      microseconds: microseconds + 1_000_000,
    }),
  ),
  'timestamp-zero': stamps('stamps events with the begin of the epoch', ['QMP-EVT-02'], () => ({
    seconds: 0,
    microseconds: 0,
  })),
  'timestamp-nanoseconds': stamps('stamps events with nanoseconds, too', ['QMP-EVT-02'], (seconds, microseconds) => ({
    seconds,
    microseconds,
    nanoseconds: 0,
  })),
});

/** Events that a process has said lately, and processes with a client that has negotiated. */
const saidBy = new WeakMap<object, readonly Reply[]>();
const negotiated = new WeakSet<object>();
/** Clients of a process that it has said events to. */
const clients = new WeakMap<object, number>();
const sameTime = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const monitorFaults = inArea('monitors', {
  'events-to-one-only': fault('says events to the first monitor only', ['QMP-EVT-04'], {
    said: (message, { process }) => {
      if (!isEvent(message)) return [message];
      const known = saidBy.get(process) ?? [];
      const same = known.some(
        ({ event, timestamp }) => event === message.event && sameTime(timestamp, message.timestamp),
      );
      saidBy.set(process, [...known.slice(-8), message]);
      return same ? [] : [message];
    },
  }),
  'timestamps-differ': fault('stamps an event anew for each monitor', ['QMP-EVT-04'], {
    said: (message, { memory, process }) => {
      if (!isEvent(message)) return [message];
      const { seconds, microseconds } = message.timestamp as Members;
      let own = memory.get('own');
      if (own === undefined) {
        own = 37 * ((clients.get(process) ?? 0) + 1);
        clients.set(process, Number(own) / 37);
        memory.set('own', own);
      }
      const shifted = (Number(microseconds) + Number(own)) % 1_000_000;
      return [{ ...message, timestamp: { seconds, microseconds: shifted } }];
    },
  }),
  'events-cross-negotiation': fault(
    'keeps events for clients that have not negotiated yet',
    ['QMP-NEG-15', 'QMP-EVT-05'],
    {
      said: (message, { command, stamp }) => {
        if (command !== 'qmp_capabilities' || !('return' in message)) return [message];
        return [message, { timestamp: stamp(), event: 'STOP' }];
      },
    },
  ),
  'negotiation-shared': fault(
    'takes a client for negotiated once another one is',
    ['QMP-NEG-13', 'QMP-GREET-07', 'QMP-NEG-01'],
    {
      said: (message, { process, command }) => {
        if (command === 'qmp_capabilities' && 'return' in message) negotiated.add(process);
        const unready = String(errorOf(message).desc).startsWith('Expecting capabilities');
        return unready && negotiated.has(process) ? [success(idOf(message), undefined)] : [message];
      },
    },
  ),
});

const oobOf = (request: JsonObject): boolean => request.has('exec-oob');

export const oobFaults = inArea('oob', {
  'oob-in-band': fault('carries out exec-oob in its turn', ['QMP-OOB-06', 'QMP-OOB-07'], {
    said: (message, { oob, after, say }) => {
      if (!oob || !isReply(message)) return [message];
      after(400, () => say(message));
      return [];
    },
  }),
  'oob-reply-lost': fault('does not answer exec-oob', ['QMP-OOB-06'], {
    said: (message, { oob }) => (oob ? [] : [message]),
  }),
  'oob-id-lost': fault('loses the id of exec-oob', ['QMP-OOB-06', 'QMP-OOB-03'], {
    said: (message, { oob }) => (oob ? [without(message, 'id')] : [message]),
  }),
  'oob-for-any-command': fault('carries out any command out of band', ['QMP-OOB-04', 'QMP-OOB-05'], {
    said: (message) =>
      /does not support OOB/.test(String(errorOf(message).desc)) ? [success(idOf(message), undefined)] : [message],
  }),
  'oob-without-being-enabled': fault('takes exec-oob though it was not enabled', ['QMP-OOB-01', 'QMP-NEG-11'], {
    asked: (request) =>
      oobOf(request)
        ? new Map([...request].map(([name, value]) => [name === 'exec-oob' ? 'execute' : name, value]))
        : request,
  }),
  'oob-offered-not-enabled': fault(
    'offers oob and refuses to enable it',
    ['QMP-GREET-05', 'QMP-NEG-07', 'QMP-OOB-01'],
    {
      asked: (request) => {
        const args = request.get('arguments');
        if (request.get('execute') !== 'qmp_capabilities' || !(args instanceof Map)) return request;
        const enable = args.get('enable');
        if (!Array.isArray(enable) || !enable.includes('oob')) return request;
        return new Map(request).set('arguments', new Map([['enable', ['oop']]]));
      },
    },
  ),
});
