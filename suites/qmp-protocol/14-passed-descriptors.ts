/** qmp-protocol.md §14: descriptors that travel with a client's bytes. */
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { commandWithDescriptors, lacksDescriptors, sendWithDescriptors } from '../../protocol/descriptor-sending.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { socketNumber } from '../../protocol/socket-number.js';
import { NotOffered } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { Captured, captureNeeds } from '../stream-format/capture.js';
import { isWhole } from '../stream-format/other-way.js';
import { done } from './shapes.js';
import { expects } from './texts.js';
import { onTwoMonitors } from './two-monitors.js';

const none = 'No file descriptor supplied via SCM_RIGHTS';
const unknown = (name: string): string => `File descriptor named '${name}' not found`;

/** The target receives the descriptors of a client on this machine, over unix sockets. */
const needs = { abilities: ['start', 'local'], commands: ['getfd', 'closefd'] } as const;
/** … and keeps sets of them. */
const needsSets = { ...needs, commands: ['add-fd', 'remove-fd', 'query-fdsets'] } as const;

/** Files of ours, open for reading; closed at the end of the trial. */
function opened(t: Trial, count: number): number[] {
  const files = Array.from({ length: count }, () => openSync('/dev/null', 'r'));
  t.atEnd(async () => {
    for (const file of files) closeSync(file);
  });
  return files;
}

/** The descriptor of a connection. @throws NotOffered where it has none that can be told */
function descriptorOf(end: Socket): number {
  const fd = socketNumber(end);
  if (fd === undefined) throw new NotOffered('connections have no descriptors here');
  return fd;
}

/** A session over which descriptors can be sent. @throws NotOffered in words why not */
async function sender(t: Trial, session?: Session): Promise<Session> {
  const one = session ?? (await t.session({ condition: 'worn' }));
  const why = await lacksDescriptors(one);
  if (why !== undefined) throw new NotOffered(why);
  if (t.lacks('direct') !== undefined) await seeThrough(t, one);
  return one;
}

/** A program in the middle hands on bytes and mostly no descriptors, which is not the monitor's fault. @throws NotOffered */
async function seeThrough(t: Trial, session: Session): Promise<void> {
  const fdname = 'qmpspec-probe';
  const reply = await passed(session, fdname, opened(t, 1));
  if (reply.kind === 'failure' && isObject(reply.value) && describes(reply.value, none))
    throw new NotOffered(`no descriptor arrives, or none is taken: ${t.lacks('direct')}`);
  await session.command('closefd', { fdname });
}

const describes = ({ error }: JsonObject, desc: string): boolean => isObject(error) && error.desc === desc;

const getfd = (session: Session, fdname: string) => session.command('getfd', { fdname });
const passed = (session: Session, fdname: string, files: readonly number[]) =>
  commandWithDescriptors(session, 'getfd', { fdname }, files);

export const passedDescriptors = new ChapterBuilder(
  ['QMP protocol', '14 Descriptor passing', 'Descriptors that travel'],
  'qmp-protocol.md §14',
)
  .must(
    'QMP-FD-01',
    'a descriptor may ride on any byte, and waits for the command that takes it',
    async (t) => {
      const session = await sender(t);
      await sendWithDescriptors(session, ' ', opened(t, 1));
      t.succeeded(await session.command('query-version'), 'a command in between');
      t.equal(t.succeeded(await getfd(session, 'qmpspec'), 'getfd'), {}, 'getfd');
      t.failed(await getfd(session, 'other'), 'GenericError', none, 'the next one');
      t.equal(t.succeeded(await session.command('closefd', { fdname: 'qmpspec' })), {}, 'closefd');
    },
    { needs },
  )
  .must(
    'QMP-FD-01.half',
    'of two batches the later one counts, even if they ride on the halves of one command',
    async (t) => {
      const session = await sender(t);
      const [first, second] = opened(t, 2) as [number, number];
      const mark = session.mark();
      await sendWithDescriptors(session, '{"execute":"getfd",', [first]);
      await sendWithDescriptors(session, '"arguments":{"fdname":"qmpspec"},"id":1}', [second]);
      t.matches(await session.reply(1, { since: mark, command: 'getfd' }), done({}, { id: 1 }));
      t.failed(await getfd(session, 'other'), 'GenericError', none, 'what is left');
    },
    { needs },
  )
  .must(
    'QMP-FD-02',
    'getfd and add-fd take the first of a batch and close the others',
    async (t) => {
      const session = await sender(t);
      t.equal(t.succeeded(await passed(session, 'qmpspec', opened(t, 2)), 'getfd'), {}, 'getfd');
      t.failed(await getfd(session, 'other'), 'GenericError', none, 'getfd behind getfd');
      const added = await commandWithDescriptors(session, 'add-fd', { 'fdset-id': 3 }, opened(t, 2));
      t.succeeded(added, 'add-fd');
      t.failed(await session.command('add-fd'), 'GenericError', none, 'add-fd behind add-fd');
    },
    { needs: { ...needsSets, commands: [...needs.commands, ...needsSets.commands] } },
  )
  .must(
    'QMP-FD-03',
    'of 17 descriptors in one message the first is still there',
    async (t) => {
      const session = await sender(t);
      t.equal(t.succeeded(await passed(session, 'qmpspec', opened(t, 17)), 'getfd'), {}, 'getfd');
      t.failed(await getfd(session, 'other'), 'GenericError', none, 'the others');
    },
    { needs },
  )
  .must(
    'QMP-FD-05',
    'a name is stored once: a second descriptor replaces the first',
    async (t) => {
      const session = await sender(t);
      for (const name of ['qmpspec', 'qmpspec', '']) {
        t.equal(t.succeeded(await passed(session, name, opened(t, 1)), name), {}, `getfd '${name}'`);
      }
      for (const name of ['qmpspec', '']) {
        t.equal(t.succeeded(await session.command('closefd', { fdname: name })), {}, `closefd '${name}'`);
        t.failed(await session.command('closefd', { fdname: name }), 'GenericError', unknown(name), 'again');
      }
    },
    { needs },
  )
  .must(
    'QMP-FD-06.passed',
    'a descriptor for a name that starts with a digit is used up',
    async (t) => {
      const session = await sender(t);
      const text = "Parameter 'fdname' expects a name not starting with a digit";
      t.failed(await passed(session, '1x', opened(t, 1)), 'GenericError', text);
      t.failed(await getfd(session, 'qmpspec'), 'GenericError', none, 'afterwards');
    },
    { needs },
  )
  .must(
    'QMP-FD-07.passed',
    'a descriptor on a command with wrong arguments waits for the next one',
    async (t) => {
      const session = await sender(t);
      t.failed(await commandWithDescriptors(session, 'getfd', undefined, opened(t, 1)), 'GenericError');
      t.equal(t.succeeded(await getfd(session, 'qmpspec'), 'getfd'), {}, 'getfd');
    },
    { needs },
  )
  .must(
    'QMP-FD-09',
    'named descriptors belong to their monitor: they survive a reconnect, and no other monitor sees them',
    async (t) => {
      const { instance, first, second } = await onTwoMonitors(t);
      await sender(t, first);
      t.succeeded(await passed(first, 'qmpspec', opened(t, 1)), 'getfd');
      t.failed(await second.command('closefd', { fdname: 'qmpspec' }), 'GenericError', unknown('qmpspec'), 'the other');
      first.close();
      const again = await t.session({ to: instance });
      t.equal(t.succeeded(await again.command('closefd', { fdname: 'qmpspec' })), {}, 'after the reconnect');
    },
    { needs: { ...needs, abilities: [...needs.abilities, 'arguments', 'reconnect'] } },
  )
  .must(
    'QMP-FD-10',
    'what waits when the client leaves is closed',
    async (t) => {
      const instance = await t.start();
      const session = await sender(t, await t.session({ to: instance }));
      await sendWithDescriptors(session, ' ', opened(t, 1));
      await session.fence();
      session.close();
      const again = await t.session({ to: instance });
      t.failed(await getfd(again, 'qmpspec'), 'GenericError', none, 'after the reconnect');
    },
    { needs: { ...needs, abilities: [...needs.abilities, 'reconnect'] } },
  )
  .must(
    'QMP-FD-11',
    'migrate to fd: writes to the descriptor and takes its name away',
    async (t) => {
      const one = await Captured.open(t);
      const session = await sender(t, one.session);
      const path = join(one.instance.scratch, 'stream.bin');
      const file = openSync(path, 'w');
      t.atEnd(async () => closeSync(file));
      t.succeeded(await passed(session, 'qmpspec', [file]), 'getfd');
      t.equal(t.succeeded(await session.command('migrate', { uri: 'fd:qmpspec' })), {}, 'migrate');
      t.failed(await session.command('closefd', { fdname: 'qmpspec' }), 'GenericError', unknown('qmpspec'), 'the name');
      await one.until('completed');
      await one.runs('postmigrate');
      await isWhole(t, one, readFileSync(path));
    },
    {
      needs: {
        ...needs,
        abilities: [...needs.abilities, ...captureNeeds.abilities],
        unless: ({ dialect }) => (dialect.migration.fdMayBeFile ? undefined : 'it does not migrate to files this way'),
      },
    },
  )
  .must(
    'QMP-FD-11.socket',
    'migrate to fd: is a migration like any other, both ways, where the descriptor is a connection',
    async (t) => {
      const one = await Captured.open(t);
      const session = await sender(t, one.session);
      const end = connect(one.peer.uri.replace(/^unix:/, ''));
      t.atEnd(async () => void end.destroy());
      await once(end, 'connect');
      t.succeeded(await passed(session, 'qmpspec', [descriptorOf(end)]), 'getfd');
      // The other end is closed when the monitor closes it, and no sooner.
      end.destroy();
      t.equal(t.succeeded(await session.command('migrate', { uri: 'fd:qmpspec' })), {}, 'migrate');
      await one.completes();
      await isWhole(t, one, one.bytes());
    },
    { needs: { ...needs, abilities: [...needs.abilities, ...captureNeeds.abilities] } },
  )
  .must(
    'QMP-FD-12.passed',
    'add-fd makes the lowest free set, or joins the one that it names',
    async (t) => {
      const session = await sender(t, await t.session());
      const numbers: JsonValue[] = [];
      const add = async (args: unknown) => {
        const value = t.succeeded(await commandWithDescriptors(session, 'add-fd', args, opened(t, 1)), 'add-fd');
        t.returned('add-fd', value, ['fd', 'fdset-id']);
        numbers.push(isObject(value) ? (value.fd ?? null) : null);
        return isObject(value) ? Number(value['fdset-id']) : Number.NaN;
      };
      const sets = [
        await add(undefined),
        await add({}),
        await add({ 'fdset-id': 5, opaque: 'a' }),
        await add({ 'fdset-id': 5 }),
      ];
      t.same(sets, [0, 1, 5, 5], 'numbers of the sets');
      const list = t.succeeded(await session.command('query-fdsets'), 'query-fdsets');
      const shown = (Array.isArray(list) ? list : []).map((set) => (isObject(set) ? Number(set['fdset-id']) : -1));
      t.same(shown, [5, 1, 0], 'the highest set first');
      const members = (Array.isArray(list) ? list : []).map((set) =>
        isObject(set) && Array.isArray(set.fds) ? set.fds.filter(isObject) : [],
      );
      const opaque = members[0]?.map((one) => one.opaque ?? null);
      const [zero = null, one = null, ...five] = numbers;
      t.same(
        members.flat().map(({ fd }) => fd ?? null),
        [...five, one, zero],
        'descriptors, as add-fd numbered them',
      );
      t.same(opaque, ['a', null], 'the oldest descriptor first');
      // Which numbers are free, what was told with each of them, and how many there are.
      const negative = await commandWithDescriptors(session, 'add-fd', { 'fdset-id': -1 }, opened(t, 1));
      t.failed(negative, 'GenericError', expects('fdset-id', 'a non-negative value'));
      t.same(await add({ opaque: '' }), 2, 'the lowest free set');
      t.same(await add({ 'fdset-id': 5, opaque: 'b' }), 5, 'a third one of set 5');
      const inSets = async () => {
        const now = t.succeeded(await session.command('query-fdsets'), 'query-fdsets');
        return (Array.isArray(now) ? now : []).filter(isObject);
      };
      const third = (await inSets())[0]?.fds;
      const told = (Array.isArray(third) ? third : []).filter(isObject).map((one) => one.opaque ?? null);
      t.same(told, ['a', null, 'b'], 'what was told of each');
      const last = { 'fdset-id': 5, fd: numbers.at(-1) };
      t.equal(t.succeeded(await session.command('remove-fd', last)), {}, 'remove-fd of one member');
      t.same(
        (await inSets()).map(({ fds }) => (Array.isArray(fds) ? fds.length : 0)),
        [2, 1, 1, 1],
        'members of each set, the highest first',
      );
      t.failed(await session.command('remove-fd', last), 'GenericError');
      t.equal(t.succeeded(await session.command('remove-fd', { 'fdset-id': 0 })), {}, 'remove-fd');
      t.same(await add(undefined), 0, 'the lowest free set, once it is free');
      for (const set of [0, 1, 2, 5])
        t.equal(t.succeeded(await session.command('remove-fd', { 'fdset-id': set })), {}, 'remove-fd');
      t.matches(await session.command('query-fdsets', undefined, { id: 1 }), done([], { id: 1 }));
    },
    { needs: needsSets },
  )
  .must(
    'QMP-FD-15',
    'sets are seen by every monitor, and end with the last client where the release says so',
    async (t) => {
      const { instance, first, second } = await onTwoMonitors(t);
      await sender(t, first);
      t.succeeded(await commandWithDescriptors(first, 'add-fd', { 'fdset-id': 7 }, opened(t, 1)), 'add-fd');
      const sets = async (session: Session) => {
        const list = t.succeeded(await session.command('query-fdsets'), 'query-fdsets');
        return Array.isArray(list) ? list.length : -1;
      };
      t.same(await sets(second), 1, 'the other monitor');
      first.close();
      t.same(await sets(second), 1, 'with one client left');
      second.close();
      // On the monitor that was left last: it serves the next client once it has noticed, and the other has long since.
      const last = await t.session({ to: instance, monitor: 1 });
      const left = await sets(last);
      if (t.facts.dialectNote === undefined) {
        t.same(left, t.dialect.protocol.fdsetsNeedMonitor ? 0 : 1, 'when all had left');
      }
    },
    { needs: { ...needsSets, abilities: [...needsSets.abilities, 'arguments', 'reconnect'] }, tags: ['QMP-D100-05'] },
  )
  .done();
