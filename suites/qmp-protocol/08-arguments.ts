/** qmp-protocol.md §8: ranges of integers, order of checks, nesting. */
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';
import { declaredMember } from '../../reference/schema/declared.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { done, faulty } from './shapes.js';
import { expects, missing, unexpected, wrongType } from './texts.js';

/** Type of a migration parameter as the dialect declares it; introspection does not show widths. */
const parameterType = ({ dialect, settings }: TargetFacts, name: string): string | undefined =>
  settings !== undefined && !(name in settings.parameters)
    ? undefined
    : declaredMember(dialect, 'migrate-set-parameters', name)?.member.type.name;

/** The requirement concerns a target that has at least one of these parameters with this type. */
const needsType =
  (type: string, ...names: string[]) =>
  (facts: TargetFacts) =>
    names.some((name) => parameterType(facts, name) === type)
      ? undefined
      : `no parameter ${names.join(', ')} of type ${type}`;

const set = (name: string, text: string, id: number): string =>
  `{"execute":"migrate-set-parameters","arguments":{"${name}":${text}},"id":${id}}`;

async function shown(t: Trial, name: string): Promise<JsonValue | undefined> {
  const session = await t.session();
  const value = t.succeeded(await session.command('query-migrate-parameters'));
  session.close();
  return isObject(value) ? value[name] : undefined;
}

/** Each text in turn as the value of a parameter, refused with this text. */
async function refuse(
  t: Trial,
  name: string,
  texts: readonly string[],
  desc: string | readonly string[],
): Promise<void> {
  const session = await t.session();
  for (const [id, text] of texts.entries()) {
    t.sequence(await session.exchange(set(name, text, id)), [faulty(desc, { id })]);
  }
  session.close();
}

const wide = ['9223372036854775808', '18446744073709551615', '-9223372036854775809', '1e400'];
const noInteger = ['1.0', '1e3', '1.5', '"5"', '"1M"', 'true', 'null', '[]', '{}'];
const numa = (text: string) => `{"execute":"set-numa-node","arguments":{"type":"node","nodeid":${text}},"id":1}`;
const mirror = (text: string, command: string) =>
  `{"execute":"${command}","arguments":{"device":"qmpspec-none","target":"qmpspec-none","sync":"none","granularity":${text}},"id":1}`;
const mirrorNeeds = { abilities: ['start'], members: ['blockdev-mirror.granularity'] } as const;

export const argumentRanges = new ChapterBuilder(
  ['QMP protocol', '8 Argument validation', 'Ranges'],
  'qmp-protocol.md §8',
)
  .must(
    'QMP-ARG-03',
    'an int argument accepts every integer from -2^63 to 2^63-1',
    async (t) => {
      const session = await t.session();
      for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
        const got = await session.command('remove-fd', { 'fdset-id': value });
        t.failed(got, 'GenericError', `File descriptor named 'fdset-id:${value}' not found`);
      }
    },
    { needs: { commands: ['remove-fd'], abilities: ['start'] } },
  )
  .must(
    'QMP-ARG-04',
    'to an int argument an integer beyond is of a wrong type',
    async (t) => {
      const session = await t.session();
      for (const text of wide) {
        const got = await session.exchange(`{"execute":"remove-fd","arguments":{"fdset-id":${text}},"id":1}`);
        t.sequence(got, [faulty(wrongType('fdset-id', 'integer'), { id: 1 })]);
      }
    },
    { needs: { commands: ['remove-fd'] } },
  )
  .must(
    'QMP-ARG-05.parameter',
    'a float token is never an integer, even if it is one by value',
    async (t) => {
      const session = await t.session();
      for (const text of ['1.0', '1e3', '1.5', '0.0', '-0.0', '1E0']) {
        const got = await session.exchange(`{"execute":"remove-fd","arguments":{"fdset-id":${text}},"id":1}`);
        t.sequence(got, [faulty(wrongType('fdset-id', 'integer'), { id: 1 })]);
      }
    },
    { needs: { commands: ['remove-fd'] } },
  )
  .must(
    'QMP-ARG-07',
    'a size refuses other types, fractions and integers out of range, all alike',
    async (t) => {
      await refuse(
        t,
        'xbzrle-cache-size',
        [...noInteger, '18446744073709551616', '-9223372036854775809', '1e400'],
        expects('xbzrle-cache-size', 'uint64'),
      );
    },
    { needs: { unless: needsType('size', 'xbzrle-cache-size') }, tags: ['QMP-ARG-08'] },
  )
  .must(
    'QMP-ARG-07.uint64',
    'so does a uint64',
    async (t) => {
      await refuse(t, 'downtime-limit', noInteger, expects('downtime-limit', 'uint64'));
    },
    { needs: { unless: needsType('uint64', 'downtime-limit') }, tags: ['QMP-D-41'] },
  )
  .must(
    'QMP-ARG-07.modulo',
    'a size accepts 2^64-1, and takes negative integers modulo 2^64',
    async (t) => {
      const session = await t.session();
      t.sequence(await session.exchange(set('max-bandwidth', '18446744073709551615', 1)), [done({}, { id: 1 })]);
      session.close();
      t.same(await shown(t, 'max-bandwidth'), 2n ** 64n - 1n, 'max-bandwidth');
      const again = await t.session();
      t.sequence(await again.exchange(set('max-bandwidth', '-2', 2)), [done({}, { id: 2 })]);
      again.close();
      t.same(await shown(t, 'max-bandwidth'), 2n ** 64n - 2n, 'max-bandwidth');
    },
    { needs: { unless: needsType('size', 'max-bandwidth'), abilities: ['start'] }, tags: ['QMP-D-41'] },
  )
  .must(
    'QMP-ARG-09',
    'a uint8 refuses what is too big or negative, and names the member',
    async (t) => {
      await refuse(
        t,
        'multifd-channels',
        ['256', '-1', '-256', '4294967297', '18446744073709551615'],
        expects('multifd-channels', 'uint8_t'),
      );
      await refuse(t, 'multifd-channels', noInteger, expects('multifd-channels', 'uint64'));
    },
    { needs: { unless: needsType('uint8', 'multifd-channels') }, tags: ['QMP-D-41'] },
  )
  .must(
    'QMP-ARG-09.uint32',
    'a uint32 parameter has the bounds of its width',
    async (t) => {
      await refuse(t, 'x-checkpoint-delay', ['4294967296', '-1'], expects('x-checkpoint-delay', 'uint32_t'));
      await refuse(t, 'x-checkpoint-delay', ['"5"', '1.0'], expects('x-checkpoint-delay', 'uint64'));
    },
    { needs: { unless: needsType('uint32', 'x-checkpoint-delay') }, tags: ['QMP-D-41'] },
  )
  .must(
    'QMP-ARG-09.uint16',
    'a uint16 has the bounds of its width',
    async (t) => {
      const session = await t.session();
      for (const text of ['65536', '-1']) {
        t.sequence(await session.exchange(numa(text)), [faulty(expects('nodeid', 'uint16_t'), { id: 1 })]);
      }
      t.sequence(await session.exchange(numa('"0"')), [faulty(expects('nodeid', 'uint64'), { id: 1 })]);
    },
    { needs: { abilities: ['start'], commands: ['set-numa-node'], unless: preconfigOnly } },
  )
  .must(
    'QMP-ARG-10',
    'a uint32 refuses what is too big or negative',
    async (t) => {
      const session = await t.session();
      for (const text of ['4294967296', '-1', '-4294967296']) {
        const got = await session.exchange(mirror(text, 'blockdev-mirror'));
        t.sequence(got, [faulty(expects('granularity', 'uint32_t'), { id: 1 })]);
      }
    },
    { needs: mirrorNeeds },
  )
  .must(
    'QMP-ARG-11',
    'a uint32 below -2^63 is not even an unsigned integer',
    async (t) => {
      const session = await t.session();
      const got = await session.exchange(mirror('-18446744073709551615', 'blockdev-mirror'));
      t.sequence(got, [faulty(expects('granularity', 'uint64'), { id: 1 })]);
    },
    { needs: mirrorNeeds },
  )
  .must(
    'QMP-ARG-13.accepted',
    'a number accepts integers and fractions',
    async (t) => {
      const session = await t.session();
      for (const text of ['1', '0.5', '1e0']) {
        const got = await session.exchange(`{"execute":"migrate_set_downtime","arguments":{"value":${text}},"id":1}`);
        t.sequence(got, [done({}, { id: 1 })]);
      }
    },
    { needs: { commands: ['migrate_set_downtime'] } },
  )
  .must(
    'QMP-ARG-20',
    'a string or null accepts both and nothing else',
    async (t) => {
      await refuse(t, 'tls-creds', ['5', 'true', '[]', '{}', '1.5'], wrongType('tls-creds', 'StrOrNull'));
      const session = await t.session();
      t.sequence(await session.exchange(set('tls-creds', 'null', 1) + set('tls-creds', '""', 2)), [
        done({}, { id: 1 }),
        done({}, { id: 2 }),
      ]);
    },
    { needs: { abilities: ['start'], parameters: ['tls-creds'] } },
  )
  .must(
    'QMP-ARG-21',
    'an argument of any type accepts every value, null included, but must be there',
    async (t) => {
      const session = await t.session();
      const args = { path: '/qmpspec/none', property: 'x' };
      t.failed(await session.command('qom-set', args), 'GenericError', missing('value'));
      for (const value of [null, true, 0, 'x', [], {}, [null, { a: 1.5 }]]) {
        t.failed(
          await session.command('qom-set', { ...args, value }),
          'DeviceNotFound',
          "Device '/qmpspec/none' not found",
        );
      }
    },
    { needs: { abilities: ['start'], commands: ['qom-set'] } },
  )
  .must(
    'QMP-ARG-23',
    'an absent optional argument is no fault',
    async (t) => {
      const session = await t.session();
      t.matches(await session.command('migrate-set-parameters', {}, { id: 1 }), done({}, { id: 1 }));
    },
    { needs: { commands: ['migrate-set-parameters'] } },
  )
  .must(
    'QMP-ARG-24',
    'a union tells a missing or unknown discriminator',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('set-numa-node', {}), 'GenericError', missing('type'));
      const reply = await session.command('set-numa-node', { type: 'nope' });
      t.failed(reply, 'GenericError', t.dialect.protocol.enumError('type', 'nope'));
    },
    { needs: { abilities: ['start'], commands: ['set-numa-node'], unless: preconfigOnly } },
  )
  .must(
    'QMP-STR-05',
    'enum values and argument names may be spelled with escapes',
    async (t) => {
      const session = await t.session();
      const text =
        '{"execute":"migrate-set-capabilities","arguments":{"capabilit\\u0069es":[{"capability":"xb\\u007arle","state":false}]},"id":1}';
      t.sequence(await session.exchange(text), [done({}, { id: 1 })]);
    },
    { needs: { capabilities: ['xbzrle'] } },
  )
  .must(
    'QMP-PARSE-05.inside',
    'a key given twice within arguments is judged as anywhere else: the last one counts, or none',
    async (t) => {
      const session = await t.session();
      for (const list of [
        '{"capability":"xbzrle","state":5,"state":false}',
        '{"capability":"xbzrle","state":false},{"capability":5,"state":false,"capability":"xbzrle"}',
      ]) {
        const text = `{"execute":"migrate-set-capabilities","arguments":{"capabilities":[${list}]}}`;
        const twice = t.dialect.protocol.json === 'strict' ? faulty('JSON parse error, duplicate key') : done({});
        t.sequence(await session.exchange(text), [twice]);
      }
    },
    { needs: { capabilities: ['xbzrle'] }, tags: ['QMP-D-26'] },
  )
  .done();

/** Of a command that only works before the machine exists, the run state is judged before the arguments there. */
function preconfigOnly(facts: TargetFacts): string | undefined {
  return facts.dialect.protocol.preconfigState ? 'it is refused outside preconfig' : undefined;
}

const capabilities = (list: readonly JsonValue[]): JsonObject => ({ capabilities: list });
const on = { capability: 'xbzrle', state: true };

export const argumentOrder = new ChapterBuilder(
  ['QMP protocol', '8 Argument validation', 'Order and nesting'],
  'qmp-protocol.md §8',
  {
    capabilities: ['xbzrle'],
  },
)
  .must(
    'QMP-ARG-30',
    'a missing required argument beats a later type error and an unexpected argument',
    async (t) => {
      const session = await t.session();
      const absent = missing('command-line');
      t.failed(await session.command('human-monitor-command', { 'cpu-index': 'x' }), 'GenericError', absent);
      t.failed(await session.command('human-monitor-command', { foo: 1 }), 'GenericError', absent);
    },
    { needs: { members: ['human-monitor-command.command-line', 'human-monitor-command.cpu-index'] } },
  )
  .must(
    'QMP-ARG-31',
    'arguments are judged in the order of the schema, not of the input',
    async (t) => {
      const session = await t.session();
      const reply = await session.command('human-monitor-command', { 'cpu-index': 'x', 'command-line': 5 });
      t.failed(reply, 'GenericError', wrongType('command-line', 'string'));
    },
    { needs: { members: ['human-monitor-command.command-line', 'human-monitor-command.cpu-index'] } },
  )
  .must(
    'QMP-ARG-32',
    'a type error beats an unexpected argument',
    async (t) => {
      const session = await t.session();
      const reply = await session.command('migrate-set-parameters', { zz: 1, 'cpu-throttle-initial': 'x' });
      t.failed(reply, 'GenericError', [
        wrongType('cpu-throttle-initial', 'integer'),
        expects('cpu-throttle-initial', 'uint64'),
      ]);
    },
    { needs: { parameters: ['cpu-throttle-initial'] } },
  )
  .must('QMP-ARG-33', 'a fault inside a list of objects is named with its path', async (t) => {
    const session = await t.session();
    const cases: readonly (readonly [JsonValue[], string])[] = [
      [[5], wrongType('capabilities[0]', 'object')],
      [[on, null], wrongType('capabilities[1]', 'object')],
      [[{ state: true }], missing('capabilities[0].capability')],
      [[{}], missing('capabilities[0].capability')],
      [[{ capability: 'xbzrle' }], missing('capabilities[0].state')],
      [[on, { capability: 'xbzrle', state: 1 }], wrongType('capabilities[1].state', 'boolean')],
      [[{ ...on, extra: 1 }], unexpected('capabilities[0].extra')],
      [[{ capability: 5, state: true }], wrongType('capabilities[0].capability', 'string')],
      [[on, on, on, { ...on, state: 'on' }], wrongType('capabilities[3].state', 'boolean')],
    ];
    for (const [list, desc] of cases) {
      t.failed(
        await session.command('migrate-set-capabilities', capabilities(list)),
        'GenericError',
        desc,
        stringifyJson(list),
      );
    }
  })
  .must('QMP-ARG-33.inner', 'what is left over in an inner object beats a fault behind it', async (t) => {
    const session = await t.session();
    const args = { capabilities: [{ ...on, extra: 1 }, { capability: 5 }], other: 1 };
    const reply = await session.command('migrate-set-capabilities', args);
    t.failed(reply, 'GenericError', unexpected('capabilities[0].extra'));
  })
  .must('QMP-ARG-34', 'elements are judged from the first, and the members of each in order', async (t) => {
    const session = await t.session();
    const unknown = t.dialect.protocol.enumError('capability', 'nope');
    for (const list of [
      [{ capability: 'nope' }],
      [{ capability: 'nope', state: 5 }, 7],
      [on, { capability: 'nope' }, {}],
    ]) {
      t.failed(await session.command('migrate-set-capabilities', capabilities(list)), 'GenericError', unknown);
    }
  })
  .must('QMP-ARG-35', 'nothing of a refused command takes effect', async (t) => {
    const session = await t.session();
    // One that runs already may have it on.
    const off = { capability: 'xbzrle', state: false };
    t.succeeded(await session.command('migrate-set-capabilities', capabilities([off])));
    for (const bad of [{ capability: 'nope', state: true }, { capability: 'xbzrle' }, 5, { ...on, x: 1 }]) {
      t.failed(await session.command('migrate-set-capabilities', capabilities([on, bad])), 'GenericError');
    }
    t.failed(
      await session.command('migrate-set-capabilities', { ...capabilities([on]), foo: 1 }),
      'GenericError',
      unexpected('foo'),
    );
    const list = t.succeeded(await session.command('query-migrate-capabilities'));
    const entry = Array.isArray(list)
      ? list.find((one: JsonValue) => isObject(one) && one.capability === 'xbzrle')
      : undefined;
    t.equal(entry, off, 'xbzrle');
  })
  .must(
    'QMP-ARG-36',
    'faults of arguments come before faults of state',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('migrate-recover', {}), 'GenericError', missing('uri'));
      t.failed(
        await session.command('migrate-continue', { state: 'nope' }),
        'GenericError',
        t.dialect.protocol.enumError('state', 'nope'),
      );
    },
    { needs: { commands: ['migrate-recover', 'migrate-continue'] } },
  )
  .done();
