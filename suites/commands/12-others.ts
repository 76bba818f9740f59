/** commands.md §12: client_migrate_info, x-colo-lost-heartbeat and the Xen commands. */
import { readFile } from 'node:fs/promises';
import { isObject } from '../../protocol/json.js';
import { ChapterBuilder } from '../requirement.js';
import { unlessExact } from './dialect-fit.js';
import { eventful, eventsAre, look, runStateBecomes, switchOn, unchanged } from './observe.js';

const start = { abilities: ['start'] } as const;
const save = { ...start, commands: ['xen-save-devices-state'] };

export const others = new ChapterBuilder(['Migration commands', '12 Others'], 'commands.md §12')
  .must(
    'MIG-CMD-CMI-01.protocol',
    'client_migrate_info knows the protocol spice only',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'client_migrate_info', async () => {
        for (const protocol of ['vnc', '', 'SPICE', 'spice ']) {
          for (const more of [{}, { port: 1 }, { port: 1, 'tls-port': 2, 'cert-subject': 'x' }]) {
            const reply = await session.command('client_migrate_info', { protocol, hostname: 'host.invalid', ...more });
            t.failed(reply, 'GenericError', t.dialect.migration.protocolText, protocol);
          }
        }
      });
    },
    { needs: { ...start, commands: ['client_migrate_info'] } },
  )
  .must(
    'MIG-CMD-CMI-01.inactive',
    'without SPICE the error class is DeviceNotActive',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'client_migrate_info', async () => {
        for (const more of [{}, { port: 5900 }, { 'tls-port': 5901, 'cert-subject': 'x' }]) {
          const reply = await session.command('client_migrate_info', { protocol: 'spice', hostname: '', ...more });
          t.failed(reply, 'DeviceNotActive', 'SPICE is not in use');
        }
      });
    },
    { needs: { ...start, commands: ['client_migrate_info'] } },
  )
  .must(
    'MIG-CMD-CMI-01.active',
    'with SPICE it takes a host with a port, and nothing of the migration changes',
    async (t) => {
      const extra = ['-spice', 'unix=on,addr=spice.sock,disable-ticketing=on'];
      const session = await t.session({ to: await t.start({ extra }) });
      await switchOn(t, session, 'events');
      await unchanged(t, session, 'client_migrate_info', async () => {
        const destination = { protocol: 'spice', hostname: 'localhost' };
        for (const more of [{ port: 5900 }, { 'tls-port': 5901, 'cert-subject': 'x' }]) {
          const reply = await session.command('client_migrate_info', { ...destination, ...more });
          t.equal(t.succeeded(reply, 'client_migrate_info'), {}, 'client_migrate_info');
        }
        const portless = await session.command('client_migrate_info', destination);
        t.failed(portless, 'GenericError', "Parameter 'port/tls-port' is missing");
      });
    },
    { needs: { abilities: ['start', 'arguments'], commands: ['client_migrate_info'] } },
  )
  .must(
    'MIG-CMD-CMI-01.order',
    'the arguments of client_migrate_info are checked before the protocol',
    async (t) => {
      const session = await eventful(t);
      const reply = await session.command('client_migrate_info', { protocol: 'vnc', hostname: 'x', port: 'x' });
      t.failed(reply, 'GenericError', "Invalid parameter type for 'port', expected: integer");
      const missing = await session.command('client_migrate_info', { protocol: 'vnc' });
      t.failed(missing, 'GenericError', "Parameter 'hostname' is missing");
    },
    { needs: { ...start, commands: ['client_migrate_info'] } },
  )
  .must(
    'MIG-CMD-COLO-01',
    'without COLO a lost heartbeat is refused',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'x-colo-lost-heartbeat', async () => {
        t.failed(await session.command('x-colo-lost-heartbeat'), 'GenericError', t.dialect.migration.coloIdleText);
      });
    },
    { needs: { ...start, commands: ['x-colo-lost-heartbeat'] } },
  )
  .must(
    'MIG-CMD-COLO-01.query',
    'without COLO its mode is none on both sides, for no reason',
    async (t) => {
      const session = await t.session();
      const status = t.succeeded(await session.command('query-colo-status'));
      t.returned('query-colo-status', status, ['mode', 'reason'], ['last-mode']);
      for (const [name, value] of Object.entries(isObject(status) ? status : {})) t.equal(value, 'none', name);
    },
    { needs: { ...start, commands: ['query-colo-status'] } },
  )
  .must(
    'MIG-CMD-XEN-01.running',
    'xen-save-devices-state stops a running guest for the time of writing',
    async (t) => {
      const session = await eventful(t, 'worn');
      const { scratch } = await t.instance();
      const before = await look(t, session);
      const mark = session.mark();
      const reply = await session.command('xen-save-devices-state', { filename: `${scratch}/state` });
      t.equal(t.succeeded(reply), {}, 'the reply');
      const messages = await session.fence(mark);
      eventsAre(t, t.eventNames(messages), [['STOP', 'RESUME']], 'events');
      t.check(messages.at(-1)?.index === reply.index, 'the reply last', messages.at(-1), 'order');
      const after = await look(t, session);
      for (const [name, value] of Object.entries(after)) t.same(value, before[name], name);
      const file = await readFile(`${scratch}/state`);
      t.check(
        file.subarray(0, 8).toString('hex') === '5145564d00000003',
        'the header of a stream',
        file.toString('hex', 0, 8),
      );
    },
    { needs: save },
  )
  .must(
    'MIG-CMD-XEN-01.paused',
    'xen-save-devices-state of a stopped guest shows nothing',
    async (t) => {
      const session = await eventful(t, 'worn');
      const { scratch } = await t.instance();
      t.succeeded(await session.command('stop'));
      await unchanged(t, session, 'xen-save-devices-state', async () => {
        for (const live of [false, true]) {
          const reply = await session.command('xen-save-devices-state', { filename: `${scratch}/state-${live}`, live });
          t.equal(t.succeeded(reply), {}, `live ${live}`);
        }
      });
      const [a, b] = await Promise.all(['false', 'true'].map((live) => readFile(`${scratch}/state-${live}`)));
      t.check(
        a?.subarray(0, 8).toString('hex') === '5145564d00000003',
        'the header of a stream',
        a?.toString('hex', 0, 8),
      );
      t.check(b?.length === a?.length, `${a?.length} bytes`, `${b?.length} bytes`, 'the second file');
    },
    { needs: save },
  )
  .must(
    'MIG-CMD-XEN-01.load',
    'xen-load-devices-state is refused while the guest runs, and where there is nothing to load',
    async (t) => {
      const session = await eventful(t, 'worn');
      const filename = `${(await t.instance()).scratch}/state`;
      t.succeeded(await session.command('xen-save-devices-state', { filename }));
      await unchanged(t, session, 'xen-load-devices-state', async () => {
        t.failed(await session.command('xen-load-devices-state', { filename }), 'GenericError');
      });
      // No further: releases die of a load that begins.
      t.succeeded(await session.command('stop'));
      t.failed(await session.command('xen-load-devices-state', { filename: `${filename}.absent` }), 'GenericError');
    },
    { needs: { ...save, commands: [...save.commands, 'xen-load-devices-state'] } },
  )
  .must(
    'MIG-CMD-XEN-02.dirty-log',
    'the dirty log can be switched on and off, which shows nothing',
    async (t) => {
      const session = await eventful(t, 'worn');
      await unchanged(t, session, 'xen-set-global-dirty-log', async () => {
        for (const enable of [true, false]) {
          const reply = await session.command('xen-set-global-dirty-log', { enable });
          t.equal(t.succeeded(reply, `enable ${enable}`), {}, `enable ${enable}`);
        }
      });
      t.failed(await session.command('xen-set-global-dirty-log'), 'GenericError');
    },
    { needs: { ...start, commands: ['xen-set-global-dirty-log'] } },
  )
  .must(
    'MIG-CMD-XEN-01.open',
    'a file that cannot be opened is an error, and the guest runs on',
    async (t) => {
      const session = await eventful(t);
      const { scratch } = await t.instance();
      const filename = `${scratch}/no-such-folder/state`;
      const mark = session.mark();
      const reply = await session.command('xen-save-devices-state', { filename });
      const reason = 'No such file or directory';
      t.failed(reply, 'GenericError', [
        `Unable to open ${filename}: ${reason}`,
        `Could not create '${filename}': ${reason}`,
      ]);
      eventsAre(t, t.eventNames(await session.fence(mark)), [['STOP', 'RESUME']], 'events');
      await runStateBecomes(t, session, 'running');
      t.equal(t.succeeded(await session.command('query-migrate')), {}, 'query-migrate');
    },
    { needs: save },
  )
  .must(
    'MIG-CMD-XEN-02.failover',
    'failover goes with stopping replication only',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'xen-set-replication', async () => {
        for (const failover of [true, false]) {
          for (const primary of [true, false]) {
            const reply = await session.command('xen-set-replication', { enable: true, primary, failover });
            t.failed(reply, 'GenericError', "Parameter 'failover' is only for stopping replication");
          }
        }
      });
    },
    { needs: { ...start, commands: ['xen-set-replication'] } },
  )
  .must(
    'MIG-CMD-XEN-02',
    'without replication nodes, starting and stopping replication succeed',
    async (t) => {
      const session = await eventful(t, 'worn');
      await unchanged(t, session, 'xen-set-replication', async () => {
        for (const args of [
          { enable: true, primary: true },
          { enable: true, primary: false },
          { enable: false, primary: true },
          { enable: false, primary: false, failover: true },
          { enable: false, primary: true, failover: false },
        ]) {
          t.equal(t.succeeded(await session.command('xen-set-replication', args)), {}, JSON.stringify(args));
        }
      });
    },
    { needs: { ...start, commands: ['xen-set-replication'] } },
  )
  .must(
    'MIG-CMD-XEN-03',
    'without replication nodes there is no error to tell',
    async (t) => {
      const session = await t.session();
      const status = t.succeeded(await session.command('query-xen-replication-status'));
      t.equal(status, { error: false }, 'query-xen-replication-status');
    },
    { needs: { commands: ['query-xen-replication-status'] } },
  )
  .must(
    'MIG-CMD-XEN-04',
    'without replication nodes a checkpoint succeeds and shows nothing',
    async (t) => {
      const session = await eventful(t, 'worn');
      await unchanged(t, session, 'xen-colo-do-checkpoint', async () => {
        t.equal(t.succeeded(await session.command('xen-colo-do-checkpoint')), {}, 'xen-colo-do-checkpoint');
      });
    },
    { needs: { ...start, commands: ['xen-colo-do-checkpoint'] } },
  )
  .must(
    'MIG-CMD-EVT-01.schema',
    'the events of migration have the data that the baseline gives them',
    async (t) => {
      const { schema } = t.facts;
      for (const [name, member] of Object.entries({ MIGRATION: 'status', MIGRATION_PASS: 'pass' })) {
        const members = schema.membersOf(schema.events.get(name)?.data).map((one) => [one.name, one.optional]);
        t.same(members, [[member, false]], name);
      }
      for (const name of ['STOP', 'RESUME']) {
        const found = schema.events.get(name);
        t.check(
          found !== undefined && schema.membersOf(found.data).length === 0,
          `an event ${name} without data`,
          name,
        );
      }
    },
    { needs: { commands: ['migrate', 'stop'], unless: (facts) => facts.schemaNote ?? unlessExact(facts) } },
  )
  .must(
    'MIG-CMD-EVT-05',
    'STOP and RESUME do not need the capability events, and tell changes only',
    async (t) => {
      const session = await t.session();
      for (const [name, announced] of [
        ['stop', ['STOP']],
        ['stop', []],
        ['cont', ['RESUME']],
        ['cont', []],
      ] as const) {
        const mark = session.mark();
        t.succeeded(await session.command(name), name);
        eventsAre(t, t.eventNames(await session.fence(mark)), [announced], name);
      }
      const status = t.succeeded(await session.command('query-status'));
      t.equal(isObject(status) ? status.status : undefined, 'running', 'status');
    },
    { needs: { ...start, commands: ['stop', 'cont'] } },
  )
  .done();
