/**
 * qmp-protocol.md §14: descriptors, as far as a client can go that passes none: their absence, names, sets.
 */
import { ChapterBuilder } from '../requirement.js';
import { done, faulty } from './shapes.js';
import { expects, missing, wrongType } from './texts.js';

const none = 'No file descriptor supplied via SCM_RIGHTS';
const unknown = (name: string): string => `File descriptor named '${name}' not found`;
const started = { abilities: ['start'] } as const;

export const descriptors = new ChapterBuilder(['QMP protocol', '14 Descriptor passing'], 'qmp-protocol.md §14')
  .must(
    'QMP-FD-04',
    'getfd and add-fd without a descriptor fail',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('getfd', { fdname: 'qmpspec' }), 'GenericError', none);
      t.failed(await session.command('getfd', { fdname: '' }), 'GenericError', none);
      t.failed(await session.command('add-fd'), 'GenericError', none);
      t.failed(await session.command('add-fd', { 'fdset-id': 3, opaque: 'x' }), 'GenericError', none);
      t.matches(await session.command('query-fdsets', undefined, { id: 1 }), done([], { id: 1 }));
    },
    { needs: { ...started, commands: ['getfd', 'add-fd', 'query-fdsets'] } },
  )
  .must(
    'QMP-FD-04.tcp',
    'over tcp and standard input there never is a descriptor',
    async (t) => {
      const instance = await t.start({ monitors: [{ transport: 'tcp' }, { transport: 'stdio' }] });
      for (const monitor of [0, 1]) {
        const session = await t.session({ to: instance, monitor });
        t.failed(await session.command('getfd', { fdname: 'qmpspec' }), 'GenericError', none);
        t.failed(await session.command('add-fd'), 'GenericError', none);
      }
    },
    { needs: { abilities: ['start', 'arguments'], commands: ['getfd', 'add-fd'] } },
  )
  .must(
    'QMP-FD-06',
    'a name that starts with a digit is not accepted',
    async (t) => {
      const session = await t.session();
      // Which of the two faults is told first is left open where no descriptor came.
      const digit = "Parameter 'fdname' expects a name not starting with a digit";
      t.failed(await session.command('getfd', { fdname: '1x' }), 'GenericError', [none, digit]);
      t.failed(await session.command('closefd', { fdname: '1x' }), 'GenericError', unknown('1x'));
    },
    { needs: { ...started, commands: ['getfd', 'closefd'] } },
  )
  .must(
    'QMP-FD-07',
    'arguments are validated before descriptors are looked for',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('getfd'), 'GenericError', missing('fdname'));
      t.failed(await session.command('getfd', { fdname: 5 }), 'GenericError', wrongType('fdname', 'string'));
      t.failed(await session.command('add-fd', { 'fdset-id': 'x' }), 'GenericError', wrongType('fdset-id', 'integer'));
    },
    { needs: { commands: ['getfd', 'add-fd'] } },
  )
  .must(
    'QMP-FD-08',
    'closefd of an unknown name fails',
    async (t) => {
      const session = await t.session();
      for (const fdname of ['m', '', '%s', 'é']) {
        const got = await session.exchange(
          Buffer.from(JSON.stringify({ execute: 'closefd', arguments: { fdname }, id: 1 })),
        );
        t.sequence(got, [faulty(unknown(fdname), { id: 1 })]);
      }
    },
    { needs: { ...started, commands: ['closefd'] } },
  )
  .must(
    'QMP-FD-12',
    'a negative descriptor set is not accepted, and no set comes of a failure',
    async (t) => {
      const session = await t.session();
      const negative = expects('fdset-id', 'a non-negative value');
      t.failed(await session.command('add-fd', { 'fdset-id': -1 }), 'GenericError', [none, negative]);
      t.matches(await session.command('query-fdsets', undefined, { id: 1 }), done([], { id: 1 }));
    },
    { needs: { ...started, commands: ['add-fd', 'query-fdsets'] } },
  )
  .must(
    'QMP-FD-13',
    'query-fdsets lists nothing where no descriptor was added',
    async (t) => {
      const session = await t.session();
      t.matches(await session.command('query-fdsets', undefined, { id: 1 }), done([], { id: 1 }));
    },
    { needs: { ...started, commands: ['query-fdsets'] } },
  )
  .must(
    'QMP-FD-14',
    'remove-fd of an unknown set or member fails',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('remove-fd', { 'fdset-id': 77 }), 'GenericError', unknown('fdset-id:77'));
      // Without the set there is no member to miss: either is named.
      const texts = [unknown('fdset-id:77, fd:9999'), unknown('fdset-id:77')];
      t.failed(await session.command('remove-fd', { 'fdset-id': 77, fd: 9999 }), 'GenericError', texts);
      t.failed(await session.command('remove-fd', {}), 'GenericError', missing('fdset-id'));
    },
    { needs: { ...started, commands: ['remove-fd'] } },
  )
  .done();
