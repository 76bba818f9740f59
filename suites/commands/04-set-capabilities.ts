/** commands.md §4: migrate-set-capabilities while no migration runs. */
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { allOff, conflictsIn, dependsOnHost, readCapabilities, setsOfPairs, setting } from './capability-model.js';
import { fitsExactly, unlessExact } from './dialect-fit.js';
import { sociable } from './every-setting.js';
import { unchanged } from './observe.js';
import { rawCommand } from './raw-arguments.js';
import { wrongTexts, wrongTypeText } from './wrong-values.js';

/** Capabilities that every dialect has and lets be set alone, and that do not disturb one another. */
const independent = ['xbzrle', 'auto-converge', 'release-ram', 'events', 'return-path'] as const;
const command = 'migrate-set-capabilities';

/**
 * Tries pairs in one write, as each alone is a round trip, and there are many. Only the result of each counts, so that the pair
 * before need not be switched off first.
 */
async function tryPairs(t: Trial, session: Session, pairs: readonly (readonly [string, string])[]): Promise<void> {
  // Those that the pairs before may have left on. All the others need not be told: a monitor may read byte by byte.
  let perhapsOn = new Set<string>();
  let on: readonly string[] = [];
  const sent = pairs.map(([a, b]) => {
    const others = [...perhapsOn].filter((name) => name !== a && name !== b);
    const states = [...others.map((name) => [name, false] as const), [a, true] as const, [b, true] as const];
    const refusals = conflictsIn(t.dialect.migration.conflicts, new Set([a, b]));
    const host = dependsOnHost(a) || dependsOnHost(b);
    if (refusals.length === 0) perhapsOn = new Set([a, b, ...(host ? perhapsOn : [])]);
    return { a, b, refusals, host, id: session.post(command, setting(states)) };
  });
  for (const { a, b, refusals, host, id } of sent) {
    const reply = await session.reply(id);
    if (refusals.length > 0) t.failed(reply, 'GenericError', refusals[0], `${a} and ${b}`);
    else if (reply.kind === 'failure' && host) t.failed(reply, 'GenericError');
    else {
      t.succeeded(reply, `${a} and ${b}`);
      on = [a, b];
    }
  }
  const last = Object.entries(await readCapabilities(t, session)).filter(([, state]) => state !== false);
  t.same(last.map(([name]) => name).sort(), [...on].sort(), 'those that are on');
}

/** Sets and compares the whole set with what it must be afterwards. */
async function sets(t: Trial, session: Session, entries: readonly (readonly [string, boolean])[], step: string) {
  const before = await readCapabilities(t, session);
  t.equal(t.succeeded(await session.command(command, setting(entries)), step), {}, step);
  t.same(await readCapabilities(t, session), { ...before, ...Object.fromEntries(entries) }, step);
}

export const setCapabilities = new ChapterBuilder(
  ['Migration commands', '4 migrate-set-capabilities'],
  'commands.md §4',
)
  .must('MIG-CMD-SCAP-01.list', 'capabilities must be a list of objects with both members', async (t) => {
    const session = await t.session();
    const good = '{"capability":"xbzrle","state":true}';
    const cases: [string, string][] = [
      ['{}', "Parameter 'capabilities' is missing"],
      ['{"capabilities":{}}', wrongTypeText('array', 'capabilities')],
      // What would be good in a list is none.
      [`{"capabilities":${good}}`, wrongTypeText('array', 'capabilities')],
      ['{"capabilities":[{"state":true}]}', "Parameter 'capabilities[0].capability' is missing"],
      ['{"capabilities":[{"capability":"xbzrle"}]}', "Parameter 'capabilities[0].state' is missing"],
      [`{"capabilities":[${good},{"state":false}]}`, "Parameter 'capabilities[1].capability' is missing"],
      [
        '{"capabilities":[{"capability":"xbzrle","state":true,"extra":1}]}',
        "Parameter 'capabilities[0].extra' is unexpected",
      ],
    ];
    for (const text of wrongTexts('object')) {
      cases.push([`{"capabilities":[${text}]}`, wrongTypeText('object', 'capabilities[0]')]);
      cases.push([`{"capabilities":[${good},${text}]}`, wrongTypeText('object', 'capabilities[1]')]);
    }
    for (const text of wrongTexts('boolean')) {
      const element = `{"capability":"xbzrle","state":${text}}`;
      cases.push([`{"capabilities":[${element}]}`, wrongTypeText('boolean', 'capabilities[0].state')]);
    }
    for (const text of wrongTexts('string')) {
      const element = `{"capability":${text},"state":true}`;
      cases.push([`{"capabilities":[${good},${element}]}`, wrongTypeText('string', 'capabilities[1].capability')]);
    }
    await unchanged(t, session, 'refused lists', async () => {
      for (const [text, desc] of cases) t.failed(await rawCommand(session, command, text), 'GenericError', desc, text);
    });
  })
  .must('MIG-CMD-SCAP-01.unknown', 'a name that the schema does not know refuses the whole list', async (t) => {
    const session = await t.session();
    const { capabilities } = t.dialect.migration;
    const foreign = ['x-multifd', 'compress', 'block', 'mapped-ram'].filter(
      (name) => fitsExactly(t.facts) && !capabilities.includes(name),
    );
    await unchanged(t, session, 'refused lists', async () => {
      for (const name of [
        '',
        'XBZRLE',
        'xbzrle ',
        'x_colo',
        'qmpspec-none',
        'MIGRATION_CAPABILITY_XBZRLE',
        ...foreign,
      ]) {
        for (const state of [true, false]) {
          const reply = await session.command(
            command,
            setting([
              ['xbzrle', true],
              [name, state],
              ['events', true],
            ]),
          );
          t.failed(reply, 'GenericError', t.dialect.protocol.enumError('capability', name), name);
        }
      }
    });
  })
  .must('MIG-CMD-SCAP-04.last-wins', 'of several entries for a name the last one counts', async (t) => {
    const session = await t.session();
    for (const states of [
      [true, false],
      [false, true],
      [true, false, true],
      [true, true, false],
    ]) {
      const entries = states.map((state) => ['xbzrle', state] as const);
      t.succeeded(await session.command(command, setting(entries)), states.join());
      t.equal((await readCapabilities(t, session)).xbzrle, states.at(-1) as boolean, states.join());
    }
  })
  .must(
    'MIG-CMD-SCAP-04.result',
    'conflicts are judged on the resulting set, not on the way to it',
    async (t) => {
      const session = await t.session();
      const conflict = t.dialect.migration.conflicts.find(
        ({ on, off, onlyIncoming, perhaps }) =>
          on.length === 2 &&
          perhaps === undefined &&
          off === undefined &&
          onlyIncoming === undefined &&
          !on.some(dependsOnHost),
      );
      const [a = '', b = ''] = conflict?.on ?? [];
      t.succeeded(await session.command(command, setting([[a, true]])), `${a} on`);
      await unchanged(t, session, `${b} as well`, async () => {
        t.failed(await session.command(command, setting([[b, true]])), 'GenericError', conflict?.desc);
      });
      t.succeeded(
        await session.command(
          command,
          setting([
            [a, false],
            [b, true],
          ]),
        ),
        `${a} off, ${b} on`,
      );
      t.succeeded(
        await session.command(
          command,
          setting([
            [a, true],
            [b, false],
          ]),
        ),
        `${a} on, ${b} off`,
      );
      // Both are on for a moment of the list, but not in its result.
      t.succeeded(
        await session.command(
          command,
          setting([
            [b, true],
            [a, false],
          ]),
        ),
        `${b} on, then ${a} off`,
      );
      const now = await readCapabilities(t, session);
      t.same([now[a] ?? null, now[b] ?? null], [false, true], `${a} and ${b}`);
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-CMD-SCAP-09.empty', 'an empty list succeeds and changes nothing', async (t) => {
    const session = await t.session();
    t.succeeded(await session.command(command, setting([['xbzrle', true]])));
    await unchanged(t, session, 'an empty list', async () => {
      t.equal(t.succeeded(await session.command(command, setting([]))), {}, 'an empty list');
    });
  })
  .must('MIG-CMD-SCAP-09.refused', 'a bad last element leaves the good ones before it without effect', async (t) => {
    const session = await t.session();
    await unchanged(t, session, 'the refused list', async () => {
      const entries = independent.map((name) => [name, true] as const);
      const reply = await session.command(command, setting([...entries, ['qmpspec-none', true]]));
      t.failed(reply, 'GenericError', t.dialect.protocol.enumError('capability', 'qmpspec-none'));
    });
  })
  .must('MIG-CMD-SCAP-09.all', 'all entries of a list take effect, and what it does not name stays', async (t) => {
    const session = await t.session();
    await sets(
      t,
      session,
      independent.map((name) => [name, true] as const),
      'all on',
    );
    await sets(
      t,
      session,
      [
        ['auto-converge', false],
        ['return-path', false],
      ],
      'two off',
    );
    await sets(
      t,
      session,
      [
        ['auto-converge', true],
        ['xbzrle', false],
      ],
      'one on, one off',
    );
  })
  .must(
    'MIG-CMD-SCAP-09.alone',
    'an entry changes what it names and no other, whatever the others are, and the list stays in its order',
    async (t) => {
      const session = await t.session();
      const off = await readCapabilities(t, session);
      const names = sociable(Object.keys(off));
      let now = off;
      const order = Object.keys(off);
      const stands = async (entries: readonly (readonly [string, boolean])[], step: string) => {
        t.equal(t.succeeded(await session.command(command, setting(entries)), step), {}, step);
        now = { ...now, ...Object.fromEntries(entries) };
        const shown = await readCapabilities(t, session);
        t.same(shown, now, step);
        t.same(Object.keys(shown), order, `${step}: the order`);
      };
      const word = (state: boolean) => (state ? 'on' : 'off');
      for (const others of [true, false]) {
        await stands(
          names.map((name) => [name, others] as const),
          `all ${word(others)}`,
        );
        for (const name of names) {
          for (const state of [others, !others, !others, others])
            await stands([[name, state]], `${name} ${word(state)}, with all others ${word(others)}`);
        }
      }
      const queries = '{"execute":"query-migrate-capabilities","id":0}';
      const set = (state: boolean, id: number) =>
        JSON.stringify({ execute: command, arguments: setting([['xbzrle', state]]), id }) + queries;
      const states = (await session.exchange([true, false, true].map(set).join(''))).flatMap(({ value }) => {
        const list = isObject(value) && Array.isArray(value.return) ? value.return : [];
        return list.flatMap((one) => (isObject(one) && one.capability === 'xbzrle' ? [one.state ?? null] : []));
      });
      t.same(states, [true, false, true], 'queries behind it in one write');
    },
    { lasting: true, needs: { capabilities: ['xbzrle'] } },
  )
  .must('MIG-CMD-SCAP-10', 'setting capabilities emits no event, also not with events on', async (t) => {
    const session = await t.session();
    const mark = session.mark();
    for (const state of [true, true, false, true]) {
      t.succeeded(
        await session.command(
          command,
          setting([
            ['events', state],
            ['xbzrle', state],
          ]),
        ),
      );
    }
    const messages = await session.fence(mark);
    t.silent(
      messages.filter(({ kind }) => kind === 'event'),
      'events',
    );
  })
  .must(
    'MIG-CMD-QCAP-02',
    'a change is seen by the next query, on every monitor',
    async (t) => {
      const session = await t.session({
        to: await t.start({ monitors: [{ transport: 'unix' }, { transport: 'unix' }] }),
      });
      const other = await t.session({ to: t.instances[0]!, monitor: 1 });
      for (const [from, to] of [
        [session, other],
        [other, session],
      ] as const) {
        for (const state of [true, false]) {
          t.succeeded(await from.command(command, setting([['xbzrle', state]])));
          t.equal((await readCapabilities(t, from)).xbzrle, state, 'the monitor that set it');
          t.equal((await readCapabilities(t, to)).xbzrle, state, 'the other monitor');
        }
      }
    },
    { needs: { abilities: ['start', 'arguments'] } },
  )
  .must('MIG-CMD-SCAP-08.alone', 'every capability without a condition can be switched on and off alone', async (t) => {
    const session = await t.session();
    for (const name of await allOff(t, session)) {
      const refusals = conflictsIn(t.dialect.migration.conflicts, new Set([name]));
      const before = await readCapabilities(t, session);
      const reply = await session.command(command, setting([[name, true]]));
      const after = await readCapabilities(t, session);
      if (refusals.length > 0) {
        t.failed(reply, 'GenericError', refusals[0], name);
        t.same(after, before, `after refusing ${name}`);
      } else if (reply.kind === 'failure' && (dependsOnHost(name) || !fitsExactly(t.facts))) {
        t.failed(reply, 'GenericError', undefined, name);
        t.same(after, before, `after refusing ${name}`);
      } else {
        t.equal(t.succeeded(reply, name), {}, name);
        t.same(after, { ...before, [name]: true }, `${name} on`);
        t.succeeded(await session.command(command, setting([[name, false]])), `${name} off`);
        t.same(await readCapabilities(t, session), before, `${name} off`);
      }
    }
  })
  .must(
    'MIG-CMD-SCAP-08.pairs',
    'two capabilities are refused together exactly where the release says so',
    async (t) => {
      const session = await t.session();
      const names = await allOff(t, session);
      // What a host lacks it lacks together with others, too.
      const lacking: string[] = [];
      for (const name of names.filter(dependsOnHost)) {
        const reply = await session.command(command, setting([[name, true]]));
        if (reply.kind === 'failure') lacking.push(name);
        else t.succeeded(await session.command(command, setting([[name, false]])), `${name} off`);
      }
      const { sets, pairs } = setsOfPairs(names, t.dialect.migration.conflicts, new Set(lacking));
      const before = await readCapabilities(t, session);
      let perhapsOn: readonly string[] = [];
      for (const set of sets) {
        const off = perhapsOn.filter((name) => !set.includes(name));
        const states = [...off.map((name) => [name, false] as const), ...set.map((name) => [name, true] as const)];
        const reply = await session.command(command, setting(states));
        if (reply.kind !== 'success') return tryPairs(t, session, setsOfPairs(names, [], new Set(names)).pairs);
        t.succeeded(reply, set.join());
        perhapsOn = set;
      }
      const shown = Object.fromEntries(perhapsOn.map((name) => [name, true]));
      t.same(await readCapabilities(t, session), { ...before, ...shown }, perhapsOn.join());
      t.succeeded(await session.command(command, setting(perhapsOn.map((name) => [name, false]))), 'all off');
      await tryPairs(t, session, pairs);
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-CMD-SCAP-06',
    'postcopy-ram and compress exclude each other in the baseline only',
    async (t) => {
      const session = await t.session();
      await allOff(t, session);
      const reply = await session.command(
        command,
        setting([
          ['compress', true],
          ['postcopy-ram', true],
        ]),
      );
      const [refusal] = conflictsIn(t.dialect.migration.conflicts, new Set(['compress', 'postcopy-ram']));
      if (refusal === undefined) t.succeeded(reply);
      else t.failed(reply, 'GenericError', refusal);
      t.equal((await readCapabilities(t, session)).compress, refusal === undefined, 'compress afterwards');
    },
    { needs: { capabilities: ['compress', 'postcopy-ram'], unless: unlessExact } },
  )
  .done();
