/** commands.md §3: query-migrate-capabilities. */
import { isObject, type JsonValue } from '../../protocol/json.js';
import { capabilitiesOf } from '../../qapi/enums.js';
import { validatorsFor } from '../../qapi/validators.js';
import { ChapterBuilder } from '../requirement.js';
import { fitsExactly } from './dialect-fit.js';

export const namesIn = (list: JsonValue): string[] =>
  Array.isArray(list) ? list.map((entry) => (isObject(entry) ? String(entry.capability) : '')) : [];

export const queryCapabilities = new ChapterBuilder(
  ['Migration commands', '3 query-migrate-capabilities'],
  'commands.md §3',
)
  .must('MIG-CMD-QCAP-01.shape', 'the answer is a list of names with a boolean each', async (t) => {
    const session = await t.session();
    const list = t.succeeded(await session.command('query-migrate-capabilities'));
    const faults = validatorsFor(t.facts.schema).returns('query-migrate-capabilities')(list);
    t.same(
      faults.map(({ path, expected }) => `${path}: ${expected}`),
      [],
      'faults against the schema',
    );
    for (const entry of list as readonly JsonValue[])
      t.returned('query-migrate-capabilities', entry, ['capability', 'state'], [], 'an entry');
  })
  .must('MIG-CMD-QCAP-01.names', 'every capability that the schema names is listed once', async (t) => {
    const session = await t.session();
    const names = namesIn(t.succeeded(await session.command('query-migrate-capabilities')));
    t.check(new Set(names).size === names.length, 'each name once', names.join(', '));
    const known = capabilitiesOf(t.facts.schema);
    t.same(
      names.filter((name) => !known.includes(name)),
      [],
      'names that the schema does not know',
    );
    // A build without block migration leaves `block` out (commands.md §2.2).
    t.same(
      known.filter((name) => !names.includes(name) && name !== 'block'),
      [],
      'names that are not listed',
    );
  })
  .must('MIG-CMD-QCAP-01.order', 'capabilities are listed in the order of the enum', async (t) => {
    const session = await t.session();
    const names = namesIn(t.succeeded(await session.command('query-migrate-capabilities')));
    const order = t.dialect.migration.capabilities;
    const listed = names.filter((name) => order.includes(name));
    t.same(
      listed,
      order.filter((name) => names.includes(name)),
      'order',
    );
    if (fitsExactly(t.facts)) t.same(listed, names, 'known names');
  })
  .must(
    'MIG-CMD-QCAP-01.defaults',
    'every capability of a new process is off',
    async (t) => {
      const session = await t.session();
      const list = t.succeeded(await session.command('query-migrate-capabilities'));
      t.same(
        (list as readonly JsonValue[]).filter((entry) => isObject(entry) && entry.state !== false),
        [],
        'those on',
      );
    },
    { needs: { abilities: ['start'] } },
  )
  .done();
