/** commands.md §6: migrate-set-parameters, one requirement for each parameter of any dialect. */
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { enumOf } from '../../qapi/enums.js';
import { dialectNames, dialects } from '../../reference/dialects/dialect.js';
import type { ParameterRule } from '../../reference/dialects/migration.js';
import { usualPageSize } from '../../targets/page-size.js';
import { ChapterBuilder } from '../requirement.js';
import { unlessExact } from './dialect-fit.js';
import { unchanged } from './observe.js';
import { borderValues, outcomeOf } from './parameter-model.js';

const command = 'migrate-set-parameters';

export async function readParameters(t: Trial, session: Session): Promise<JsonObject> {
  const shown = t.succeeded(await session.command('query-migrate-parameters'), 'query-migrate-parameters');
  return isObject(shown) ? shown : {};
}

const chapter = new ChapterBuilder(
  ['Migration commands', '6 migrate-set-parameters', 'each parameter'],
  'commands.md §6',
);
const names = new Set(dialectNames.flatMap((name) => dialects[name].migration.parameters.map((rule) => rule.name)));
names.delete('block-bitmap-mapping');
for (const name of names) {
  chapter.must(
    `MIG-CMD-SPAR-02.${name}`,
    `${name} takes and shows every legal value, and refuses the others without a trace`,
    async (t) => {
      const rule = t.dialect.migration.parameters.find((one) => one.name === name);
      const session = await t.session();
      const initial = await readParameters(t, session);
      const mark = session.mark();
      if (rule?.kind === 'integer') await integers(t, session, rule);
      else if (rule?.kind === 'text') await values(t, session, name, texts);
      else if (rule?.kind === 'boolean')
        await values(t, session, name, [
          [true, true],
          [false, false],
        ]);
      else if (rule?.kind === 'enum') await choices(t, session, name);
      t.succeeded(await session.command(command, { [name]: initial[name] ?? null }), 'the first value again');
      // More than once: what was put back stays so.
      for (let round = 0; round < 3; round++)
        t.same(await readParameters(t, session), initial, 'after the first value again');
      t.silent(
        session.since(mark).filter(({ kind }) => kind === 'event'),
        'events',
      );
    },
    {
      needs: {
        parameters: [name],
        unless: unlessExact,
        ...(name === 'tls-authz' ? { deadly: ['MIG-DEF-30'] } : {}),
      },
    },
  );
}
export const eachParameter = chapter.done();

/**
 * All in one go: each alone is a round trip, or two. What a run of refusals leaves is looked at behind the last of them, and
 * behind each that is next to the range.
 */
async function integers(t: Trial, session: Session, rule: ParameterRule): Promise<void> {
  let before = await readParameters(t, session);
  const since = session.mark();
  const { pageSize = usualPageSize } = t.facts;
  // The least cache is one page, which on some machines is of another size.
  const fits = (value: bigint) =>
    rule.check !== 'cache-size' || pageSize === usualPageSize || Number(value) >= 2 * Math.max(pageSize, usualPageSize);
  const outcomes = borderValues(rule)
    .filter(fits)
    .map((value) => ({ value, outcome: outcomeOf(t.dialect, rule, value) }));
  const asked = outcomes.map(({ value, outcome }, i) => {
    const next = outcomes[i + 1]?.outcome;
    const id = session.post(command, { [rule.name]: value });
    const looks = !('refused' in outcome) || next === undefined || !('refused' in next) || isNext(rule, value);
    return { value, outcome, id, look: looks ? session.post('query-migrate-parameters') : undefined };
  });
  for (const { value, outcome, id, look } of asked) {
    const reply = await session.reply(id, { since, command });
    if ('refused' in outcome) t.failed(reply, 'GenericError', outcome.refused, `${rule.name} ${value}`);
    else t.equal(t.succeeded(reply, `${rule.name} ${value}`), {}, `${rule.name} ${value}`);
    if (look === undefined) continue;
    const shown = t.succeeded(await session.reply(look, { since }), 'query-migrate-parameters');
    const after = isObject(shown) ? shown : {};
    if ('refused' in outcome) {
      t.same(after, before, `after refusing ${rule.name} ${value}`);
      continue;
    }
    const stored = { ...before, [rule.name]: outcome.stored };
    // What a release accepts without using it, it may store or not.
    if (rule.ignored && after[rule.name] !== outcome.stored) t.same(after, before, `${rule.name} ${value}`);
    else t.same(after, stored, `${rule.name} ${value}`);
    before = after;
  }
}

const isNext = ({ range }: ParameterRule, value: bigint): boolean =>
  range !== undefined && (value === range[0] - 1n || value === range[1] + 1n);

/** Given values with what is shown for them; null and the empty text both switch a `tls-*` parameter off (SPAR-06). */
const texts: readonly (readonly [JsonValue, JsonValue])[] = [
  ['qmpspec-none', 'qmpspec-none'],
  [null, ''],
  ['a "quoted" \\ name', 'a "quoted" \\ name'],
  ['', ''],
  ['ÄÖ€', 'ÄÖ€'],
  ['x'.repeat(1100), 'x'.repeat(1100)],
  ['defer', 'defer'],
];

async function values(t: Trial, session: Session, name: string, list: readonly (readonly [JsonValue, JsonValue])[]) {
  const before = await readParameters(t, session);
  for (const [given, shown] of list) {
    const reply = await session.command(command, { [name]: given });
    // Direct input and output is something that a host may lack.
    if (name === 'direct-io' && given === true && reply.kind === 'failure') t.failed(reply, 'GenericError');
    else {
      t.equal(t.succeeded(reply, `${name} ${String(given)}`), {}, name);
      t.same(await readParameters(t, session), { ...before, [name]: shown }, `${name} ${String(given)}`);
    }
  }
}

async function choices(t: Trial, session: Session, name: string) {
  const before = await readParameters(t, session);
  const listed = enumOf(t.facts.schema, command, name);
  t.check(listed.length > 0, `values of ${name} in the schema`, 'none');
  for (const choice of listed) {
    const reply = await session.command(command, { [name]: choice });
    // Compression other than zlib may need a device or a library that is not there.
    if (reply.kind === 'failure' && name === 'multifd-compression' && choice !== 'none' && choice !== 'zlib') {
      t.failed(reply, 'GenericError', undefined, choice);
      continue;
    }
    t.succeeded(reply, `${name} ${choice}`);
    t.same(await readParameters(t, session), { ...before, [name]: choice }, `${name} ${choice}`);
  }
  await unchanged(t, session, 'unknown values', async () => {
    for (const choice of ['', 'qmpspec-none', String(before[name]).toUpperCase()]) {
      const reply = await session.command(command, { [name]: choice });
      t.failed(reply, 'GenericError', t.dialect.protocol.enumError(name, choice), choice);
    }
  });
}
