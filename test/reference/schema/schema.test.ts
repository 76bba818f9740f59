import { expect } from 'chai';
import { buildSchema } from '../../../qapi/check.js';
import type { Definition, EnumType, StructType } from '../../../qapi/schema.js';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { dialectExpressions, loadSchema, migrationEntities } from '../../../reference/schema/index.js';

const baseline = loadSchema('3.0');

function values(name: string, schema = baseline): string[] {
  const type = schema.types.get(name);
  expect(type?.kind, name).to.equal('enum');
  return (type as EnumType).values.map((value) => value.name);
}

/** Members as `name?: type`. */
function members(name: string, schema = baseline): Record<string, string> {
  return Object.fromEntries(
    schema
      .membersOf(name)
      .map(({ name, type, optional }) => [`${name}${optional ? '?' : ''}`, type.list ? `[${type.name}]` : type.name]),
  );
}

const definitionsOf = (schema: typeof baseline): Definition[] => [
  ...schema.types.values(),
  ...schema.commands.values(),
  ...schema.events.values(),
];

const generic = [
  ...['qmp_capabilities', 'query-status', 'stop', 'cont', 'quit', 'system_reset', 'query-version', 'query-commands'],
  ...['query-events', 'query-name', 'query-qmp-schema', 'human-monitor-command', 'getfd', 'closefd', 'add-fd'],
  ...['remove-fd', 'query-fdsets', 'xen-load-devices-state', 'xen-set-global-dirty-log'],
];

describe('reference schema: the baseline', () => {
  it('has the 22 migration commands and 2 events', () => {
    const all = [...migrationEntities()];
    expect(all.filter((name) => baseline.commands.has(name))).to.have.members([
      ...['query-migrate', 'migrate-set-capabilities', 'query-migrate-capabilities', 'migrate-set-parameters'],
      ...['query-migrate-parameters', 'client_migrate_info', 'migrate-start-postcopy', 'x-colo-lost-heartbeat'],
      ...['migrate_cancel', 'migrate-continue', 'migrate_set_downtime', 'migrate_set_speed', 'migrate-set-cache-size'],
      ...['query-migrate-cache-size', 'migrate', 'migrate-incoming', 'xen-save-devices-state', 'xen-set-replication'],
      ...['query-xen-replication-status', 'xen-colo-do-checkpoint', 'migrate-recover', 'migrate-pause'],
    ]);
    expect(all.filter((name) => baseline.events.has(name))).to.have.members(['MIGRATION', 'MIGRATION_PASS']);
    expect(all).to.have.lengthOf(24);
  });

  it('has every generic command that each baseline monitor has (QMP-BASE-21)', () => {
    expect([...baseline.commands.keys()]).to.include.members(generic);
  });

  it('has 13 statuses, 16 capabilities and 16 parameters, in order', () => {
    expect(values('MigrationStatus')).to.deep.equal([
      ...['none', 'setup', 'cancelling', 'cancelled', 'active', 'postcopy-active', 'postcopy-paused'],
      ...['postcopy-recover', 'completed', 'failed', 'colo', 'pre-switchover', 'device'],
    ]);
    expect(values('MigrationParameter')).to.deep.equal([
      ...['compress-level', 'compress-threads', 'decompress-threads', 'cpu-throttle-initial'],
      ...['cpu-throttle-increment', 'tls-creds', 'tls-hostname', 'max-bandwidth', 'downtime-limit'],
      ...['x-checkpoint-delay', 'block-incremental', 'x-multifd-channels', 'x-multifd-page-count'],
      ...['xbzrle-cache-size', 'max-postcopy-bandwidth', 'max-cpu-throttle'],
    ]);
    expect(values('MigrationCapability')).to.have.lengthOf(16);
  });

  it('has the enums that no monitor shows', () => {
    expect(values('COLOMessage')).to.deep.equal([
      ...['checkpoint-ready', 'checkpoint-request', 'checkpoint-reply', 'vmstate-send', 'vmstate-size'],
      ...['vmstate-received', 'vmstate-loaded'],
    ]);
    expect(values('COLOMode')).to.deep.equal(['unknown', 'primary', 'secondary']);
    expect(values('FailoverStatus')).to.deep.equal(['none', 'require', 'active', 'completed', 'relaunch']);
  });

  it('has structs with the widths of the baseline', () => {
    const int = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'int']));
    expect(members('MigrationStats')).to.deep.equal({
      ...int('transferred', 'remaining', 'total', 'duplicate', 'skipped', 'normal', 'normal-bytes'),
      ...int('dirty-pages-rate', 'dirty-sync-count', 'postcopy-requests', 'page-size'),
      mbps: 'number',
      'multifd-bytes': 'uint64',
    });
    expect(members('XBZRLECacheStats')).to.deep.equal({
      ...int('cache-size', 'bytes', 'pages', 'cache-miss', 'overflow'),
      'cache-miss-rate': 'number',
    });
    expect(members('MigrationInfo')).to.deep.equal({
      'status?': 'MigrationStatus',
      'ram?': 'MigrationStats',
      'disk?': 'MigrationStats',
      'xbzrle-cache?': 'XBZRLECacheStats',
      ...int('total-time?', 'expected-downtime?', 'downtime?', 'setup-time?', 'cpu-throttle-percentage?'),
      'error-desc?': 'str',
      'postcopy-blocktime?': 'uint32',
      'postcopy-vcpu-blocktime?': '[uint32]',
    });
    expect(members('MigrateSetParameters')).to.deep.equal({
      ...int('compress-level?', 'compress-threads?', 'decompress-threads?', 'cpu-throttle-initial?'),
      ...int('cpu-throttle-increment?', 'max-bandwidth?', 'downtime-limit?', 'x-checkpoint-delay?'),
      ...int('x-multifd-channels?', 'x-multifd-page-count?', 'max-cpu-throttle?'),
      'tls-creds?': 'StrOrNull',
      'tls-hostname?': 'StrOrNull',
      'block-incremental?': 'bool',
      'xbzrle-cache-size?': 'size',
      'max-postcopy-bandwidth?': 'size',
    });
    expect(members('MigrationParameters')).to.deep.equal({
      'compress-level?': 'uint8',
      'compress-threads?': 'uint8',
      'decompress-threads?': 'uint8',
      'cpu-throttle-initial?': 'uint8',
      'cpu-throttle-increment?': 'uint8',
      'tls-creds?': 'str',
      'tls-hostname?': 'str',
      'max-bandwidth?': 'size',
      'downtime-limit?': 'uint64',
      'x-checkpoint-delay?': 'uint32',
      'block-incremental?': 'bool',
      'x-multifd-channels?': 'uint8',
      'x-multifd-page-count?': 'uint32',
      'xbzrle-cache-size?': 'size',
      'max-postcopy-bandwidth?': 'size',
      'max-cpu-throttle?': 'uint8',
    });
  });

  it('visits members in the order of the definition (QMP-ARG-31)', () => {
    expect(baseline.membersOf('q_obj_migrate-arg').map(({ name }) => name)).to.deep.equal([
      ...['uri', 'blk', 'inc', 'detach', 'resume'],
    ]);
    const set = baseline.types.get('MigrateSetParameters') as StructType;
    expect(set.members.map(({ name }) => name)).to.deep.equal(values('MigrationParameter'));
  });

  it('allows out of band only migrate-recover and migrate-pause (QMP-OOB-05)', () => {
    expect([...baseline.commands.values()].filter(({ allowOob }) => allowOob).map(({ name }) => name)).to.have.members([
      'migrate-recover',
      'migrate-pause',
    ]);
  });

  it('allows in preconfig what the baseline does, and no more (QMP-RUN-24)', () => {
    const allowed = [...baseline.commands.values()].filter(({ allowPreconfig }) => allowPreconfig);
    expect(allowed.map(({ name }) => name)).to.have.members([
      ...['qmp_capabilities', 'qom-get', 'query-commands', 'query-name', 'query-qmp-schema', 'query-status'],
      ...['query-version', 'x-exit-preconfig'],
    ]);
  });

  it('describes every migration definition and each of its members', () => {
    for (const { name, location, doc, ...definition } of definitionsOf(baseline)) {
      if (location?.file !== 'migration.qapi') continue;
      expect(doc?.text, name).to.be.a('string').that.is.not.empty;
      const parts =
        definition.kind === 'enum'
          ? definition.values
          : definition.kind === 'struct'
            ? definition.members
            : definition.kind === 'command' && !definition.boxed
              ? baseline.membersOf(definition.arguments)
              : [];
      for (const part of parts)
        expect(doc?.members[part.name], `${name}: ${part.name}`).to.be.a('string').that.is.not.empty;
    }
  });
});

for (const dialect of dialectNames) {
  describe(`reference schema: dialect ${dialect}`, () => {
    const schema = loadSchema(dialect);

    it('is loaded once', () => {
      expect(loadSchema(dialect)).to.equal(schema);
    });

    it('is consistent: references, unions, doc blocks', () => {
      expect([...buildSchema(dialectExpressions(dialect)).types.keys()]).to.deep.equal([...schema.types.keys()]);
    });

    it('lists the capabilities of the dialect, in its order', () => {
      expect(values('MigrationCapability', schema)).to.deep.equal(dialects[dialect].migration.capabilities);
    });

    it('has a doc block for every definition', () => {
      for (const { name, location, doc } of definitionsOf(schema))
        if (location && !name.startsWith('q_obj_')) expect(doc?.text, name).to.be.a('string').that.is.not.empty;
    });

    it('has no type that nothing refers to, but for those that no monitor shows', () => {
      const text = JSON.stringify(
        definitionsOf(schema).map(({ location, doc, name, ...rest }) => ({ ...rest, kind: '' })),
      );
      const unused = [...schema.types.keys()].filter((name) => !text.includes(`"${name}"`));
      const internal = ['MigrationParameter', 'COLOMessage', 'FailoverStatus'];
      expect(unused).to.have.members(dialect === '3.0' ? [...internal, 'COLOMode'] : internal);
    });
  });
}

describe('reference schema: the newer dialects', () => {
  it('are without what was removed (QMP-D-46)', () => {
    for (const dialect of ['7.2', '10.0'] as const) {
      const { commands, events } = loadSchema(dialect);
      for (const gone of ['migrate_set_speed', 'migrate_set_downtime', 'migrate-set-cache-size', 'query-events'])
        expect(commands.has(gone), gone).to.equal(false);
      expect(events.has('COMMAND_DROPPED')).to.equal(false);
    }
    expect(values('RunState', loadSchema('7.2'))).to.not.include('preconfig');
    expect(members('StatusInfo', loadSchema('7.2'))).to.have.property('singlestep');
    expect(members('StatusInfo', loadSchema('10.0'))).to.not.have.property('singlestep');
  });

  it('give parameters their own widths on input, too (QMP-D-41)', () => {
    for (const dialect of ['7.2', '10.0'] as const)
      expect(members('MigrateSetParameters', loadSchema(dialect))).to.include({
        'multifd-channels?': 'uint8',
        'max-cpu-throttle?': 'uint8',
        'x-checkpoint-delay?': 'uint32',
        'downtime-limit?': 'uint64',
        'max-bandwidth?': 'size',
        'xbzrle-cache-size?': 'size',
      });
  });
});
