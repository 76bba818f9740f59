/** qmp-protocol.md §8: arguments of a wrong type, tried all over the target's own schema. */
import type { Pattern } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { checkedCommands, commandText, type Kind, type Site, sites, some } from './argument-sites.js';
import { faulty } from './shapes.js';
import { expects, missing, unexpected, wrongType } from './texts.js';

/** Commands tried in one requirement; each costs the target some 100 bytes of input. */
const tried = 40;

/** The texts that name this member as one of a wrong type. */
function texts({ member, kind }: Site): readonly string[] | RegExp {
  const { name } = member;
  switch (kind) {
    case 'integer':
      return [wrongType(name, 'integer'), expects(name, 'uint64')];
    case 'enum':
      return [wrongType(name, 'string')];
    case 'alternate':
      return new RegExp(`^Invalid parameter type for '${name}', expected: \\w+$`);
    default:
      return [wrongType(name, kind)];
  }
}

async function tryAll(t: Trial, cases: readonly { text: string; expected: Pattern }[]): Promise<void> {
  const session = await t.session();
  const got = await session.exchange(cases.map(({ text }) => text).join('\n'), { deadline: 15000 });
  t.check(got.length === cases.length, `${cases.length} replies`, `${got.length} messages`);
  for (const [i, { expected }] of cases.entries()) t.matches(got[i], expected);
}

const hasKind = (kind: Kind) => (facts: TargetFacts) =>
  sites(facts).some((site) => site.kind === kind) ? undefined : `no command takes an argument of kind ${kind}`;

/** Each of some sites of the kind, with a wrong value each, other ones in runs with another seed. */
async function tryKind(t: Trial, kind: Kind, only: (text: string) => boolean = () => true): Promise<void> {
  const chosen = some(
    sites(t.facts).filter((site) => site.kind === kind),
    tried,
    t.seed,
  );
  // With few sites every wrong value is tried at each of them.
  const cases = chosen.flatMap((site) => {
    const wrong = site.wrong.filter(only);
    return some(wrong, Math.max(1, Math.floor(tried / chosen.length)), t.seed + site.command.length).map((text) => ({
      site,
      text,
    }));
  });
  await tryAll(
    t,
    cases.map(({ site, text }, id) => ({
      text: commandText(site, text, id),
      expected: faulty(texts(site), { id }),
    })),
  );
}

// A monitor that lets a fault pass runs the command: only where it may come to harm.
export const argumentTypes = new ChapterBuilder(
  ['QMP protocol', '8 Argument validation', 'By the schema'],
  'qmp-protocol.md §8',
  {
    abilities: ['start'],
  },
)
  .must(
    'QMP-ARG-01',
    'each command tells which of its required arguments is missing, the first one first',
    async (t) => {
      const commands = checkedCommands(t.facts).filter(({ members }) => members.some((member) => !member.optional));
      const cases = commands.map(({ name, members }, id) => ({
        text: `{"execute":"${name}","id":${id}}`,
        expected: faulty(missing(members.find((member) => !member.optional)?.name ?? ''), { id }),
      }));
      await tryAll(t, cases);
    },
  )
  .must('QMP-ARG-02', 'each command refuses an argument that its schema does not declare', async (t) => {
    const commands = checkedCommands(t.facts).filter(({ members }) => members.every((member) => member.optional));
    const cases = commands.map(({ name }, id) => ({
      text: `{"execute":"${name}","arguments":{"?":null},"id":${id}}`,
      expected: faulty(unexpected('?'), { id }),
    }));
    await tryAll(t, cases);
  })
  .must(
    'QMP-ARG-06',
    'an integer argument refuses every other type',
    (t) => tryKind(t, 'integer', (text) => !/[.e]\d/.test(text)),
    {
      needs: { unless: hasKind('integer') },
    },
  )
  .must(
    'QMP-ARG-05',
    'an integer argument refuses a number with point or exponent',
    (t) => tryKind(t, 'integer', (text) => /^\d+[.e]\d+$/.test(text)),
    {
      needs: { unless: hasKind('integer') },
    },
  )
  .must('QMP-ARG-13', 'a number argument refuses every other type', (t) => tryKind(t, 'number'), {
    needs: { unless: hasKind('number') },
  })
  .must('QMP-ARG-14', 'a boolean argument accepts nothing but true and false', (t) => tryKind(t, 'boolean'), {
    needs: { unless: hasKind('boolean') },
  })
  .must('QMP-ARG-15', 'a string argument refuses every other type', (t) => tryKind(t, 'string'), {
    needs: { unless: hasKind('string') },
  })
  .must('QMP-ARG-16', 'an enum argument refuses every type but string', (t) => tryKind(t, 'enum'), {
    needs: { unless: hasKind('enum') },
  })
  .must(
    'QMP-ARG-17',
    'an enum argument refuses unknown names, in another case too, and the empty one',
    async (t) => {
      const all = some(
        sites(t.facts).filter((site) => site.kind === 'enum'),
        tried,
        t.seed,
      );
      const values = ['qmpspec-none', '', 'QMPSPEC', '%s'];
      const cases = all.map((site, id) => {
        const value = values[id % values.length] as string;
        const expected = faulty(t.dialect.protocol.enumError(site.member.name, value), { id });
        return { text: commandText(site, JSON.stringify(value), id), expected };
      });
      await tryAll(t, cases);
    },
    { needs: { unless: hasKind('enum') }, tags: ['QMP-D-40'] },
  )
  .must('QMP-ARG-18', 'a list argument refuses every other type', (t) => tryKind(t, 'array'), {
    needs: { unless: hasKind('array') },
  })
  .must('QMP-ARG-19', 'an object argument refuses every other type', (t) => tryKind(t, 'object'), {
    needs: { unless: hasKind('object') },
  })
  .must('QMP-ARG-20.every', 'an argument of several types refuses every other type', (t) => tryKind(t, 'alternate'), {
    needs: { unless: hasKind('alternate') },
  })
  .must('QMP-ARG-22', 'null does not stand for an absent optional argument', async (t) => {
    const optional = sites(t.facts).filter((site) => site.member.optional && site.wrong.includes('null'));
    const cases = some(optional, tried, t.seed).map((site, id) => ({
      text: commandText(site, 'null', id),
      expected: faulty(texts(site), { id }),
    }));
    await tryAll(t, cases);
  })
  .must('QMP-ARG-31.every', 'of two faulty arguments the one that the schema declares first is named', async (t) => {
    const all = sites(t.facts);
    const pairs = all.flatMap((site, i) => {
      const next = all[i + 1];
      return next !== undefined && next.command === site.command ? [{ site, next }] : [];
    });
    const cases = some(pairs, tried, t.seed).map(({ site, next }, id) => {
      const { [next.member.name]: _, ...before } = site.before;
      const rest = Object.entries(before).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
      const args = [`"${next.member.name}":${next.wrong[0]}`, ...rest, `"${site.member.name}":${site.wrong[0]}`];
      const text = `{"execute":"${site.command}","arguments":{${args.join(',')}},"id":${id}}`;
      return { text, expected: faulty(texts(site), { id }) };
    });
    await tryAll(t, cases);
  })
  .must('QMP-ARG-32.every', 'a type error beats an unexpected argument', async (t) => {
    const cases = some(sites(t.facts), tried, t.seed).map((site, id) => ({
      text: commandText(site, site.wrong[0] as string, id, { 'qmpspec-none': 1 }),
      expected: faulty(texts(site), { id }),
    }));
    await tryAll(t, cases);
  })
  .done();
