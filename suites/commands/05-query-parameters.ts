/** commands.md §5: query-migrate-parameters. */
import { isObject } from '../../protocol/json.js';
import { validatorsFor } from '../../qapi/validators.js';
import { ChapterBuilder } from '../requirement.js';
import { fitsExactly, unlessExact } from './dialect-fit.js';

export const queryParameters = new ChapterBuilder(
  ['Migration commands', '5 query-migrate-parameters'],
  'commands.md §5',
)
  .must(
    'MIG-CMD-QPAR-01.members',
    'every parameter of the release is shown, although the schema calls them optional',
    async (t) => {
      const session = await t.session();
      const shown = t.succeeded(await session.command('query-migrate-parameters'));
      const rules = t.dialect.migration.parameters;
      const always = rules.filter(({ initial }) => initial !== undefined).map(({ name }) => name);
      const { schema } = t.facts;
      const known = schema.membersOf(schema.commands.get('migrate-set-parameters')?.arguments).map(({ name }) => name);
      // What a monitor shows of its own it need not let us set.
      const unsettable = always.filter((name) => isObject(shown) && name in shown && !known.includes(name));
      t.same(unsettable, [], 'what is shown and is no argument of migrate-set-parameters');
      if (fitsExactly(t.facts)) {
        // A parameter without a default is shown once it has been set.
        t.returned(
          'query-migrate-parameters',
          shown,
          always,
          rules.map(({ name }) => name),
        );
      } else {
        t.returned(
          'query-migrate-parameters',
          shown,
          always.filter((name) => known.includes(name)),
          known,
        );
      }
    },
  )
  .must('MIG-CMD-QPAR-01.types', 'the answer is what the schema says', async (t) => {
    const session = await t.session();
    const shown = t.succeeded(await session.command('query-migrate-parameters'));
    const faults = validatorsFor(t.facts.schema).returns('query-migrate-parameters')(shown);
    t.same(
      faults.map(({ path, expected }) => `${path}: ${expected}`),
      [],
      'faults against the schema',
    );
  })
  .must('MIG-CMD-QPAR-01.integers', 'integers are written without fraction and exponent', async (t) => {
    const session = await t.session();
    const reply = await session.command('query-migrate-parameters');
    const written = [...reply.text.matchAll(/"([a-z-]+)"\s*:\s*(-?\d[^,}\s]*)/g)];
    t.check(written.length > 5, 'several integers', reply);
    for (const [, name, text] of written) t.check(/^\d+$/.test(text ?? ''), `${name} as an unsigned decimal`, text);
  })
  .must(
    'MIG-CMD-QPAR-02',
    'a new process shows the defaults',
    async (t) => {
      const session = await t.session();
      const shown = t.succeeded(await session.command('query-migrate-parameters'));
      for (const { name, kind, initial } of t.dialect.migration.parameters) {
        if (initial === undefined) continue;
        const value = kind === 'integer' ? BigInt(initial) : initial;
        t.equal(isObject(shown) ? shown[name] : undefined, value, name);
      }
    },
    { needs: { abilities: ['start'], unless: unlessExact } },
  )
  .must(
    'MIG-CMD-QPAR-01.uint64',
    'values beyond 2^53 and beyond 2^63 are shown exactly',
    async (t) => {
      const session = await t.session();
      for (const value of [2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n]) {
        t.succeeded(await session.command('migrate-set-parameters', { 'max-postcopy-bandwidth': value }), `${value}`);
        const reply = await session.command('query-migrate-parameters');
        const text = /"max-postcopy-bandwidth"\s*:\s*([^,}\s]+)/.exec(reply.text)?.[1];
        t.check(text === `${value}`, `${value}`, text, 'max-postcopy-bandwidth');
      }
    },
    { needs: { parameters: ['max-postcopy-bandwidth'] } },
  )
  .done();
