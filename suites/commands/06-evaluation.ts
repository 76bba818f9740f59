/** commands.md §6: how a call of migrate-set-parameters with several members is judged. */
import { type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';
import type { ParameterRule } from '../../reference/dialects/migration.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { readParameters } from './06-set-parameters.js';
import { fitsExactly, unlessExact } from './dialect-fit.js';
import { valuesFor } from './every-setting.js';
import { unchanged } from './observe.js';
import { otherLegal, outOfRange } from './parameter-model.js';
import { objectText, rawCommand, rawCommands } from './raw-arguments.js';
import { wrongTypeText } from './wrong-values.js';

const command = 'migrate-set-parameters';
const throttleText = "Parameter 'max_cpu_throttle' expects an integer in the range of cpu_throttle_initial to 99";

/** Parameters whose range can be left within their width, in the order in which ranges are checked. */
const ranged = (facts: TargetFacts): ParameterRule[] =>
  facts.dialect.migration.parameters.filter((rule) => !rule.ignored && outOfRange(rule) !== undefined);

/** Names that other releases have and this one does not. */
const foreign = (facts: TargetFacts): string[] => {
  const own = facts.dialect.migration.parameters.map(({ name }) => name);
  const other = ['x-multifd-channels', 'multifd-channels', 'x-multifd-page-count', 'compress-level', 'direct-io'];
  return fitsExactly(facts) ? other.filter((name) => !own.includes(name)) : [];
};

/** A value for all that can be set, each other than it is; credentials need not exist. */
const everyValue = (shown: JsonObject): JsonObject => ({ ...valuesFor(shown), 'tls-creds': 'qmpspec-creds' });

const mappingOf = (node: string, alias: string, ...bitmaps: readonly string[]): JsonObject => ({
  'node-name': node,
  alias,
  bitmaps: bitmaps.map((bitmap) => ({ name: `${bitmap}-here`, alias: bitmap })),
});

export const evaluation = new ChapterBuilder(
  ['Migration commands', '6 migrate-set-parameters', 'several members'],
  'commands.md §6',
)
  .must('MIG-CMD-SPAR-01.none', 'a call without members succeeds and changes nothing', async (t) => {
    const session = await t.session();
    await unchanged(t, session, 'no members', async () => {
      t.equal(t.succeeded(await session.command(command, {})), {}, 'with an empty object');
      t.equal(t.succeeded(await session.command(command)), {}, 'without arguments');
    });
  })
  .must(
    'MIG-CMD-SPAR-01.several',
    'all members of a call take effect together, the others stay',
    async (t) => {
      const session = await t.session();
      const before = await readParameters(t, session);
      const rules = t.dialect.migration.parameters.filter(
        ({ kind, ignored, name }) => kind === 'integer' && !ignored && name in before,
      );
      const some = rules.filter((_rule, i) => i % 2 === 0);
      const given = Object.fromEntries(some.map((rule) => [rule.name, otherLegal(rule)]));
      t.succeeded(await session.command(command, given), `${some.length} members`);
      t.same(await readParameters(t, session), { ...before, ...given }, `${some.length} members`);
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-CMD-SPAR-02.unexpected', 'names that the release does not know are refused', async (t) => {
    const session = await t.session();
    await unchanged(t, session, 'unknown names', async () => {
      for (const name of [
        'compress_level',
        'max_bandwidth',
        'Downtime-limit',
        'downtime-limit ',
        ...foreign(t.facts),
      ]) {
        const reply = await session.command(command, { 'max-bandwidth': 4711, [name]: 1 });
        t.failed(reply, 'GenericError', `Parameter '${name}' is unexpected`, name);
      }
    });
  })
  .must(
    'MIG-CMD-SPAR-02.order',
    'of two values out of range the one checked first is named',
    async (t) => {
      const session = await t.session();
      const rules = ranged(t.facts);
      // Written last first, so that the order of the text cannot be what counts.
      const texts = rules
        .slice(0, -1)
        .map((rule, i) =>
          objectText([rules[i + 1] as ParameterRule, rule].map((one) => [one.name, String(outOfRange(one))])),
        );
      await unchanged(t, session, 'pairs out of range', async () => {
        for (const [i, reply] of (await rawCommands(session, command, texts)).entries()) {
          t.failed(reply, 'GenericError', rules[i]?.error, texts[i]);
        }
      });
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-CMD-SPAR-02.types-first', 'types are checked before ranges', async (t) => {
    const session = await t.session();
    await unchanged(t, session, 'a wrong type', async () => {
      const text = '{"cpu-throttle-initial":0,"downtime-limit":2000001,"max-cpu-throttle":[]}';
      const kind = t.dialect.migration.parametersWrap ? 'integer' : 'unsigned';
      t.failed(await rawCommand(session, command, text), 'GenericError', wrongTypeText(kind, 'max-cpu-throttle'));
    });
  })
  .must(
    'MIG-CMD-SPAR-03',
    'one value out of range keeps all others from taking effect',
    async (t) => {
      const session = await t.session();
      const rules = ranged(t.facts);
      const cases = rules.flatMap((bad) => {
        const good = rules.filter((rule) => rule !== bad).map((rule) => [rule.name, `${otherLegal(rule)}`] as const);
        const last = [...good, [bad.name, `${outOfRange(bad)}`] as const];
        return [last, [...last].reverse()].map((members) => ({ bad, text: objectText(members) }));
      });
      await unchanged(t, session, 'a value out of range', async () => {
        const texts = cases.map(({ text }) => text);
        for (const [i, reply] of (await rawCommands(session, command, texts)).entries()) {
          t.failed(reply, 'GenericError', cases[i]?.bad.error, texts[i]);
        }
      });
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-CMD-SPAR-03.any',
    'a member that is refused keeps all others from taking effect, texts and switches as well',
    async (t) => {
      const session = await t.session();
      const good = Object.entries(everyValue(await readParameters(t, session)))
        .filter(([name]) => name !== 'cpu-throttle-initial')
        .map(([name, value]) => [name, stringifyJson(value)] as const);
      const bad = [
        ['cpu-throttle-initial', '0'],
        ['cpu-throttle-initial', '[]'],
        ['qmpspec-none', '1'],
      ] as const;
      await unchanged(t, session, 'a member that is refused', async () => {
        for (const one of bad) {
          for (const members of [
            [...good, one],
            [one, ...good],
          ]) {
            t.failed(await rawCommand(session, command, objectText(members)), 'GenericError', undefined, one.join(' '));
          }
        }
      });
    },
    { needs: { parameters: ['cpu-throttle-initial'] } },
  )
  .must('MIG-CMD-SPAR-01.alone', 'a call changes what it names and no other, whatever the others are', async (t) => {
    const session = await t.session();
    const before = await readParameters(t, session);
    const given = everyValue(before);
    t.succeeded(await session.command(command, given), 'all of them');
    let now: JsonObject = { ...before, ...given };
    const sets = async (members: JsonObject, step: string) => {
      t.succeeded(await session.command(command, members), step);
      now = { ...now, ...members };
      t.same(await readParameters(t, session), now, step);
    };
    await sets({}, 'no members');
    for (const name of Object.keys(given)) {
      await sets({ [name]: before[name] as JsonValue }, `${name} as before`);
      await sets({ [name]: given[name] as JsonValue }, `${name} anew`);
    }
  })
  .must(
    'MIG-CMD-SPAR-04.low',
    'a call fails for a member that it does not name, when the whole set is bad',
    async (t) => {
      const session = await t.session();
      t.succeeded(await session.command(command, { 'cpu-throttle-initial': 20, 'max-cpu-throttle': 30 }));
      await unchanged(t, session, 'the refused call', async () => {
        const reply = await session.command(command, { 'cpu-throttle-initial': 40, 'max-bandwidth': 4711 });
        t.failed(reply, 'GenericError', throttleText);
      });
      t.succeeded(await session.command(command, { 'cpu-throttle-initial': 30 }), 'the limit itself');
      t.failed(await session.command(command, { 'max-cpu-throttle': 29 }), 'GenericError', throttleText);
    },
    { needs: { parameters: ['max-cpu-throttle', 'cpu-throttle-initial'] } },
  )
  .must(
    'MIG-CMD-SPAR-04.together',
    'two members that fit each other are accepted together, in either order',
    async (t) => {
      const session = await t.session();
      for (const text of [
        '{"cpu-throttle-initial":95,"max-cpu-throttle":96}',
        '{"max-cpu-throttle":4,"cpu-throttle-initial":3}',
        '{"cpu-throttle-initial":99,"max-cpu-throttle":99}',
      ]) {
        t.succeeded(await rawCommand(session, command, text), text);
        const { 'cpu-throttle-initial': initial, 'max-cpu-throttle': most } = await readParameters(t, session);
        const wanted = JSON.parse(text) as Record<string, number>;
        t.same(
          [initial ?? null, most ?? null],
          [wanted['cpu-throttle-initial'] ?? null, wanted['max-cpu-throttle'] ?? null],
          text,
        );
      }
      t.failed(
        await session.command(command, { 'cpu-throttle-initial': 50, 'max-cpu-throttle': 49 }),
        'GenericError',
        throttleText,
      );
    },
    { needs: { parameters: ['max-cpu-throttle', 'cpu-throttle-initial'] } },
  )
  .must(
    'MIG-CMD-SPAR-05',
    'older releases cut integers to their width before they check them',
    async (t) => {
      const session = await t.session();
      for (const [name, given, stored] of [
        ['compress-level', 256, 0],
        ['compress-threads', 257, 1],
        ['max-cpu-throttle', 355, 99],
        ['x-checkpoint-delay', 4294967301n, 5],
        ['x-checkpoint-delay', -1, 4294967295n],
        ['x-multifd-page-count', 4294967297n, 1],
        ['max-bandwidth', -1, 2n ** 64n - 1n],
      ] as const) {
        if (t.facts.settings?.parameters[name] === undefined) continue;
        t.succeeded(await session.command(command, { [name]: given }), `${name} ${given}`);
        t.equal((await readParameters(t, session))[name], stored, `${name} ${given}`);
      }
      t.failed(await session.command(command, { 'compress-threads': 256 }), 'GenericError');
    },
    {
      needs: {
        unless: (facts) =>
          facts.dialect.migration.parametersWrap && fitsExactly(facts) ? undefined : 'this release cuts no integers',
      },
    },
  )
  .must('MIG-CMD-SPAR-06', 'a tls parameter is a text or null', async (t) => {
    const session = await t.session();
    await unchanged(t, session, 'other types', async () => {
      for (const name of ['tls-creds', 'tls-hostname']) {
        for (const text of ['1', 'true', '1.5', '[]', '{}', '["x"]']) {
          const reply = await rawCommand(session, command, `{"${name}":${text}}`);
          t.failed(reply, 'GenericError', wrongTypeText('StrOrNull', name), `${name} ${text}`);
        }
      }
    });
  })
  .must(
    'MIG-CMD-SPAR-02.block-bitmap-mapping',
    'a mapping of dirty bitmaps is shown as it was given, whole and in its order, and stays when another one is refused',
    async (t) => {
      // It can be emptied and not be taken back: nobody else has use for the process.
      const session = await t.session({ to: await t.start() });
      const [one, two] = [mappingOf('qmpspec-b', 'two', 'y', 'a'), mappingOf('qmpspec-a', 'one')];
      const shows = async (mapping: JsonValue, step: string) =>
        t.same((await readParameters(t, session))[name], mapping, step);
      const name = 'block-bitmap-mapping';
      for (const mapping of [[one, two], [two, one], [two]]) {
        t.equal(t.succeeded(await session.command(command, { [name]: mapping })), {}, name);
        await shows(mapping, `${mapping.length} nodes`);
      }
      t.failed(await session.command(command, { [name]: [one, { ...two, alias: 'two' }] }), 'GenericError');
      t.succeeded(await session.command(command, { 'max-bandwidth': 4711 }), 'max-bandwidth');
      await shows([two], 'behind a refused one');
      t.succeeded(await session.command(command, { [name]: [] }), 'none');
      await shows([], 'once it was emptied');
    },
    { needs: { abilities: ['start'], members: [`${command}.block-bitmap-mapping`] } },
  )
  .must('MIG-CMD-SPAR-01.same', 'setting every parameter to what is shown changes nothing', async (t) => {
    const session = await t.session();
    const settable = t.facts.schema.membersOf(t.facts.schema.commands.get(command)?.arguments);
    const shown = Object.fromEntries(
      Object.entries(await readParameters(t, session)).filter(([name]) => settable.some((one) => one.name === name)),
    );
    t.check(Object.keys(shown).length > 0, 'some that can be set', 'none');
    await unchanged(t, session, 'the same values', async () => {
      for (const [name, value] of Object.entries(shown)) {
        t.succeeded(await session.command(command, { [name]: value }), name);
      }
      t.succeeded(await session.command(command, shown), 'all at once');
    });
  })
  .done();
