/** qmp-protocol.md §13: generic commands. */

import { lastingEvents } from '../../oracle/conversation.js';
import { parseStart } from '../../oracle/first-state.js';
import { aBoolean, anInteger, aString } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { goneWithTheirPart } from '../../reference/dialects/built-without.js';
import { ChapterBuilder } from '../requirement.js';
import { done, refused } from './shapes.js';
import { expects, missing, notFound, wrongType } from './texts.js';

const baselineCommands =
  `qmp_capabilities query-status stop cont quit system_reset query-version query-commands query-name query-qmp-schema
  human-monitor-command getfd closefd add-fd remove-fd query-fdsets migrate migrate_cancel migrate-incoming
  migrate-set-capabilities query-migrate-capabilities migrate-set-parameters query-migrate-parameters query-migrate
  migrate-start-postcopy migrate-continue migrate-pause migrate-recover client_migrate_info x-colo-lost-heartbeat
  xen-save-devices-state xen-load-devices-state xen-set-global-dirty-log`.split(/\s+/);
/** Present in the baseline, gone later (QMP-D-46). */
const goneCommands = [
  'migrate_set_speed',
  'migrate_set_downtime',
  'migrate-set-cache-size',
  'query-migrate-cache-size',
  'query-events',
];
const runStates =
  `debug inmigrate internal-error io-error paused postmigrate prelaunch finish-migrate restore-vm running save-vm shutdown
  suspended watchdog guest-panicked colo preconfig`.split(/\s+/);

async function ask(t: Trial, command: string): Promise<JsonValue> {
  const session = await t.session();
  const value = t.succeeded(await session.command(command));
  session.close();
  return value;
}

/** Names of a list of objects that have nothing but a name. */
async function names(t: Trial, command: string): Promise<string[]> {
  const list = await ask(t, command);
  t.check(Array.isArray(list), 'a list', JSON.stringify(list).slice(0, 100), command);
  return (list as JsonValue[]).map((entry) => {
    t.returned(command, entry, ['name'], [], `entry of ${command}`);
    const { name } = entry as JsonObject;
    t.equal(name, aString, 'name');
    return String(name);
  });
}

function distinct(t: Trial, list: readonly string[], step: string): void {
  const repeated = list.filter((name, i) => list.indexOf(name) !== i);
  t.check(repeated.length === 0, 'no name twice', repeated.join(), step);
}

const hmp = { commands: ['human-monitor-command'] } as const;

export const genericCommands = new ChapterBuilder(['QMP protocol', '13 Generic commands'], 'qmp-protocol.md §13')
  .must(
    'QMP-BASE-01',
    'query-version returns integers major, minor and micro, and a package',
    async (t) => {
      const version = await ask(t, 'query-version');
      t.returned('query-version', version, ['qemu', 'package'], [], 'version');
      const { qemu, package: name } = version as JsonObject;
      t.returned('query-version', qemu, ['major', 'minor', 'micro'], [], 'qemu');
      for (const part of Object.values(qemu as JsonObject)) t.equal(part, anInteger, 'a number of the version');
      t.equal(name, aString, 'package');
    },
    { needs: { unless: (facts) => (facts.product === 'qemu' ? undefined : `the product is ${facts.product}`) } },
  )
  .must(
    'QMP-BASE-02',
    'query-name of a guest without a name is an empty object',
    async (t) => {
      const told = await ask(t, 'query-name');
      // The target's own arguments may give it one.
      const started = t.transcript.entries.find(({ kind }) => kind === 'started');
      const { name } = parseStart(started?.text ?? '');
      t.same(told, name === undefined ? {} : { name }, 'query-name');
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'QMP-BASE-02.name',
    'query-name returns the name that the guest was started with',
    async (t) => {
      const session = await t.session({ to: await t.start({ name: 'Qmpspec-Guest' }) });
      t.same(t.succeeded(await session.command('query-name')), { name: 'Qmpspec-Guest' }, 'query-name');
    },
    { needs: { abilities: ['start', 'arguments'] } },
  )
  .must(
    'QMP-BASE-03',
    'query-commands lists names, each once, and they are the commands there are',
    async (t) => {
      const list = await names(t, 'query-commands');
      distinct(t, list, 'query-commands');
      const session = await t.session();
      // An unexpected argument tells a known command from an unknown one, and runs neither.
      const own = list.filter((name) => !['device_add', 'netdev_add', 'object-add', 'query-qmp-schema'].includes(name));
      const text = own.map((execute) => JSON.stringify({ execute, arguments: { '?': 1 } })).join('');
      const got = await session.exchange(text, { deadline: 15000 });
      const unknown = got.findIndex((message) => message.text.includes('has not been found'));
      const classes = got.map(
        (message) => isObject(message.value) && isObject(message.value.error) && message.value.error.class,
      );
      t.check(got.length === own.length, `${own.length} replies`, `${got.length}`);
      const absent = own.filter((name, i) => name !== 'qmp_capabilities' && classes[i] === 'CommandNotFound');
      t.check(absent.length === 0 && unknown < 0, 'no listed command unknown', absent.join());
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'QMP-BASE-03.schema',
    'every listed command is in the schema',
    async (t) => {
      const list = await names(t, 'query-commands');
      const absent = list.filter((name) => !t.facts.schema.commands.has(name));
      t.check(absent.length === 0, 'no command without a schema', absent.join());
    },
    {
      needs: {
        unless: ({ schemaNote, hidesDeprecated }) =>
          schemaNote ?? (hidesDeprecated ? 'it leaves deprecated commands out of its schema' : undefined),
      },
      tags: ['QMP-BASE-20', 'QMP-D-45'],
    },
  )
  .must(
    'QMP-D-45',
    'schema and query-commands agree',
    async (t) => {
      const list = await names(t, 'query-commands');
      const absent = [...t.facts.schema.commands.keys()].filter((name) => !list.includes(name));
      t.check(absent.length === 0, 'no command of the schema that is not listed', absent.join());
    },
    {
      needs: {
        unless: (facts) =>
          facts.schemaNote ??
          (facts.dialect.protocol.eventNames.length > 0
            ? 'commands of other machines may be in the schema'
            : undefined),
      },
    },
  )
  .must(
    'QMP-BASE-04',
    'query-events lists names, each once, and those of the baseline',
    async (t) => {
      const list = await names(t, 'query-events');
      distinct(t, list, 'query-events');
      const needed = [...(t.dialect.protocol.queueFull === 'drop' ? ['COMMAND_DROPPED'] : []), ...lastingEvents];
      for (const name of needed) t.check(list.includes(name), name, list.join());
      const strange = list.filter((name) => !t.dialect.protocol.eventNames.includes(name));
      t.check(
        strange.length === 0 || t.facts.dialectNote !== undefined,
        'no name beyond those of the release',
        strange.join(),
      );
    },
    { needs: { commands: ['query-events'] } },
  )
  .must(
    'QMP-D-46',
    'the commands that later releases have dropped are unknown to them',
    async (t) => {
      const session = await t.session();
      for (const name of [...goneCommands, 'query-cpus'])
        t.failed(await session.command(name), 'CommandNotFound', notFound(name), name);
    },
    {
      needs: { unless: (facts) => (facts.dialect.protocol.eventNames.length > 0 ? 'they are still there' : undefined) },
    },
  )
  .must(
    'QMP-BASE-06',
    'query-status returns running, status and, where it still exists, singlestep',
    async (t) => {
      const status = await ask(t, 'query-status');
      const singlestep = t.dialect.protocol.singlestep;
      const known = t.facts.dialectNote === undefined;
      t.returned(
        'query-status',
        status,
        ['running', 'status', ...(singlestep && known ? ['singlestep'] : [])],
        known ? [] : ['singlestep'],
      );
      const { running, status: state } = status as JsonObject;
      t.equal(running, aBoolean, 'running');
      t.equal(state, { words: 'a run state', holds: (value) => runStates.includes(String(value)) }, 'status');
      t.same(running, state === 'running', 'running, compared with status');
    },
    { tags: ['QMP-D72-01', 'QMP-D100-01'] },
  )
  .must(
    'QMP-BASE-07',
    'stop and cont return an empty object, and change what query-status shows',
    async (t) => {
      const session = await t.session();
      for (const [command, state] of [
        ['stop', 'paused'],
        ['stop', 'paused'],
        ['cont', 'running'],
        ['cont', 'running'],
      ] as const) {
        t.matches(await session.command(command, undefined, { id: command }), done({}, { id: command }));
        const status = t.succeeded(await session.command('query-status')) as JsonObject;
        t.equal(status.status, state, `status after ${command}`);
        t.equal(status.running, state === 'running', `running after ${command}`);
      }
    },
    { needs: { abilities: ['start'] }, tags: ['QMP-BASE-08'] },
  )
  .must(
    'QMP-BASE-09',
    'system_reset returns an empty object and leaves a running guest running',
    async (t) => {
      const session = await t.session();
      t.matches(await session.command('system_reset', undefined, { id: 1 }), done({}, { id: 1 }));
      await session.event('RESET');
      const status = t.succeeded(await session.command('query-status')) as JsonObject;
      t.equal(status.status, 'running', 'status after the reset');
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'QMP-BASE-10',
    'quit ends the process with status 0, from stopped guests too',
    async (t) => {
      for (const paused of [false, true]) {
        const instance = await t.start({ paused });
        const session = await t.session({ to: instance });
        session.post('quit');
        await session.eof();
        t.equal((await instance.exited(5000)).code, 0, 'exit status');
      }
    },
    { needs: { abilities: ['start', 'exit'] } },
  )
  .must(
    'QMP-BASE-11',
    'human-monitor-command returns what the human monitor prints, with CR LF',
    async (t) => {
      const session = await t.session({ condition: 'worn' });
      const reply = await session.command('human-monitor-command', { 'command-line': 'info status' });
      t.equal(t.succeeded(reply), 'VM status: running\r\n', 'info status');
      const silent = await session.command('human-monitor-command', { 'command-line': 'cont' });
      t.equal(t.succeeded(silent), '', 'a line that prints nothing');
    },
    { needs: { ...hmp, abilities: ['start'] }, tags: ['QMP-RUN-23'] },
  )
  .must(
    'QMP-BASE-11.arguments',
    'its command line is a required string',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('human-monitor-command'), 'GenericError', missing('command-line'));
      const reply = await session.command('human-monitor-command', { 'command-line': null });
      t.failed(reply, 'GenericError', wrongType('command-line', 'string'));
    },
    { needs: hmp },
  )
  .must(
    'QMP-BASE-12',
    'a cpu-index of no CPU is refused',
    async (t) => {
      const session = await t.session();
      for (const index of [99, -1]) {
        const reply = await session.command('human-monitor-command', {
          'command-line': 'info status',
          'cpu-index': index,
        });
        t.failed(reply, 'GenericError', expects('cpu-index', 'a CPU number'));
      }
    },
    { needs: { ...hmp, abilities: ['start'] } },
  )
  .must(
    'QMP-BASE-13',
    'an unknown line is text in a success reply, an empty line is nothing',
    async (t) => {
      const session = await t.session({ condition: 'worn' });
      const unknown = await session.command('human-monitor-command', { 'command-line': 'nope' });
      t.equal(t.succeeded(unknown), "unknown command: 'nope'\r\n", 'an unknown line');
      const empty = await session.command('human-monitor-command', { 'command-line': '' });
      t.equal(t.succeeded(empty), '', 'an empty line');
    },
    { needs: hmp },
  )
  .must(
    'QMP-BASE-14',
    'system_wakeup does nothing to a guest that is not suspended',
    async (t) => {
      const session = await t.session();
      const reply = await session.command('system_wakeup', undefined, { id: 1 });
      const error = t.dialect.protocol.wakeupError;
      t.matches(reply, error === undefined ? done({}, { id: 1 }) : refused('GenericError', error, { id: 1 }));
      t.silent(await session.fence(), 'an event');
      const status = t.succeeded(await session.command('query-status')) as JsonObject;
      t.equal(status.status, 'running', 'status');
    },
    { needs: { abilities: ['start'], commands: ['system_wakeup'] }, tags: ['QMP-D-47'] },
  )
  .must(
    'QMP-BASE-15',
    'x-exit-preconfig fails once the machine exists',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('x-exit-preconfig'), 'GenericError', t.dialect.protocol.exitPreconfigError);
    },
    { needs: { abilities: ['start'], commands: ['x-exit-preconfig'] }, tags: ['QMP-D-61'] },
  )
  .must('QMP-BASE-21', 'the commands that migration needs are all there', async (t) => {
    const list = await names(t, 'query-commands');
    const gone = new Set([...t.dialect.migration.removedCommands, ...goneWithTheirPart(list)]);
    const needed = [...baselineCommands, ...(t.dialect.protocol.eventNames.length > 0 ? goneCommands : [])];
    const absent = needed.filter((name) => !gone.has(name) && !list.includes(name));
    t.check(absent.length === 0, 'every one of them listed', `not there: ${absent.join()}`);
  })
  .done();
