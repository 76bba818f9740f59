/** What a monitor tells of itself that is not so: its schema, its commands, its version. */
import { type CallFault, type Fault, inArea, type Members } from './fault.js';
import { without } from './messages.js';

type Entity = Members;
type List = readonly Entity[];

const returned =
  <T>(query: string, change: (value: T) => unknown) =>
  (title: string, ...rows: string[]): Omit<Fault, 'area'> => {
    const call: CallFault = (one) => change(one.next() as T);
    return { title, rows, calls: { [query]: call } };
  };
const schema = (change: (entities: List) => List) => returned<List>('query-qmp-schema', change);
const commands = (change: (list: List) => unknown) => returned<List>('query-commands', change);
const each = (meta: string, change: (entity: Entity) => Entity | undefined) =>
  schema((entities) =>
    entities.flatMap((entity): Entity[] => {
      const changed = entity['meta-type'] === meta ? change(entity) : entity;
      return changed === undefined ? [] : [changed];
    }),
  );
const named = (name: string, change: (entity: Entity) => Entity | undefined) =>
  schema((entities) =>
    entities.flatMap((entity): Entity[] => {
      const changed = entity.name === name ? change(entity) : entity;
      return changed === undefined ? [] : [changed];
    }),
  );
/** The object that a command takes. */
const argumentsOf = (command: string, change: (members: List) => List) =>
  schema((entities) => {
    const type = entities.find(({ name }) => name === command)?.['arg-type'];
    return entities.map((entity) =>
      entity.name === type ? { ...entity, members: change((entity.members ?? []) as List) } : entity,
    );
  });

export const schemaFaults = inArea('schema', {
  'schema-empty': schema(() => [])('returns an empty schema', 'QMP-BASE-05'),
  'schema-entity-twice': schema((entities) => [...entities, entities[0] as Entity])(
    'lists an entity of its schema twice',
    'QMP-BASE-05',
  ),
  'schema-type-missing': each('enum', () => undefined)('refers to types that its schema does not have', 'QMP-BASE-05'),
  'schema-meta-type-unknown': each('event', (entity) => ({ ...entity, 'meta-type': 'signal' }))(
    'has a meta-type that there is not',
    'QMP-BASE-05',
  ),
  'schema-without-meta-type': each('array', (entity) => without(entity, 'meta-type'))(
    'does not tell the meta-type of arrays',
    'QMP-BASE-05',
  ),
  'schema-object-without-members': each('object', (entity) => without(entity, 'members'))(
    'does not tell the members of objects',
    'QMP-BASE-05',
  ),
  'schema-enum-empty': each('enum', (entity) => ({
    ...entity,
    values: [],
    ...(entity.members === undefined ? {} : { members: [] }),
  }))('has enums without values', 'QMP-BASE-05'),
  'schema-command-missing': named('migrate', () => undefined)('does not list migrate in its schema', 'QMP-BASE-05'),
  'schema-event-missing': named('MIGRATION', () => undefined)('does not list MIGRATION in its schema', 'QMP-BASE-05'),
  'schema-pass-missing': named('MIGRATION_PASS', () => undefined)(
    'tells of passes, which its schema does not list',
    'QMP-BASE-05',
    'QMP-EVT-01',
  ),
  'schema-command-too-many': schema((entities) => [
    ...entities,
    { name: 'migrate-teleport', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0' },
  ])('lists a command in its schema that it does not have', 'QMP-BASE-05'),
  'schema-oob-lost': each('command', (entity) => ({ ...without(entity, 'allow-oob'), 'allow-oob': false }))(
    'does not tell which commands may be sent out of band',
    'QMP-OOB-04',
    'QMP-BASE-05',
  ),
  'schema-oob-everywhere': each('command', (entity) => ({ ...entity, 'allow-oob': true }))(
    'tells that every command may be sent out of band',
    'QMP-OOB-04',
  ),
  'schema-argument-missing': argumentsOf('migrate', (members) => members.filter(({ name }) => name !== 'uri'))(
    'does not tell that migrate takes a uri',
    'QMP-BASE-05',
    'QMP-BASE-05',
  ),
  'schema-argument-optional': argumentsOf('migrate-recover', (members) =>
    members.map((member) => ({ ...member, default: null })),
  )('tells that migrate-recover can do without its uri', 'QMP-BASE-05', 'QMP-ARG-01'),
  'schema-argument-required': argumentsOf('migrate-set-parameters', (members) =>
    members.map((member) => without(member, 'default')),
  )('tells that migrate-set-parameters needs every parameter', 'QMP-ARG-23'),
  'schema-argument-type': argumentsOf('migrate', (members) => members.map((member) => ({ ...member, type: 'bool' })))(
    'tells that all that migrate takes is boolean',
    'QMP-BASE-05',
  ),
  'schema-result-of-another': schema((entities) => {
    const other = entities.find(({ name }) => name === 'query-migrate-parameters')?.['ret-type'];
    return entities.map((one) => (one.name === 'query-migrate' ? { ...one, 'ret-type': other } : one));
  })('tells that query-migrate returns what query-migrate-parameters does', 'QMP-BASE-05'),
  'schema-event-without-data': schema((entities) => {
    const none = entities.find(({ name }) => name === 'STOP')?.['arg-type'];
    return entities.map((one) => (one.name === 'MIGRATION_PASS' ? { ...one, 'arg-type': none } : one));
  })('tells that MIGRATION_PASS has no data', 'QMP-BASE-05'),
  'schema-member-twice': argumentsOf('migrate', (members) => [...members, members[0] as Entity])(
    'tells an argument of migrate twice',
    'QMP-BASE-05',
  ),
  'commands-empty': commands(() => [])('lists no commands', 'QMP-BASE-03', 'QMP-BASE-05'),
  'commands-hidden': commands((list) => list.filter(({ name }) => name !== 'migrate_cancel'))(
    'does not list migrate_cancel',
    'QMP-BASE-03',
  ),
  'commands-too-many': commands((list) => [...list, { name: 'migrate-teleport' }])(
    'lists a command that it does not have',
    'QMP-BASE-03',
  ),
  'commands-as-names': commands((list) => list.map(({ name }) => name))('lists commands as plain names', 'QMP-BASE-03'),
  'commands-with-more': commands((list) => list.map((one) => ({ ...one, enabled: true })))(
    'lists commands with a member that its schema does not have',
    'QMP-BASE-03',
  ),
  'events-hidden': returned<List>('query-events', (list) => list.filter(({ name }) => name !== 'MIGRATION'))(
    'does not list the event MIGRATION',
    'QMP-BASE-04',
  ),
  'version-other': returned<Members>('query-version', (value) => ({ ...value, package: 'another' }))(
    'tells another version than its greeting',
    'QMP-GREET-03',
    'QMP-BASE-01',
  ),
  'version-without-micro': returned<Members>('query-version', (value) => ({
    ...value,
    qemu: without(value.qemu as Members, 'micro'),
  }))('tells a version without its micro', 'QMP-BASE-01', 'QMP-GREET-03'),
  'name-invented': returned<Members>('query-name', () => ({ name: 'guest' }))(
    'names a guest that has no name',
    'QMP-BASE-02',
  ),
  'name-null': returned<Members>('query-name', () => ({ name: null }))('names a guest null', 'QMP-BASE-02'),
  'status-without-running': returned<Members>('query-status', (value) => without(value, 'running'))(
    'does not tell whether the guest runs',
    'QMP-BASE-06',
  ),
  'status-running-as-text': returned<Members>('query-status', (value) => ({
    ...value,
    running: String(value.running),
  }))('tells in text whether the guest runs', 'QMP-BASE-06'),
  'status-with-more': returned<Members>('query-status', (value) => ({ ...value, since: 0 }))(
    'tells more of the run state than its schema has',
    'QMP-BASE-06',
  ),
  'steps-singly-once-it-ran': returned<Members>('query-status', (value) =>
    value.status === 'prelaunch' ? value : { ...value, singlestep: true },
  )('tells of single steps where it told of none before', 'QMP-BASE-06'),
  'status-unknown': returned<Members>('query-status', (value) => ({ ...value, status: 'busy' }))(
    'tells a run state that there is not',
    'QMP-BASE-06',
  ),
});
