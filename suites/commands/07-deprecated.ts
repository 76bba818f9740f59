/** commands.md §7: the commands that set one parameter each. Later releases no longer have them. */
import type { Trial } from '../../oracle/trial.js';
import type { JsonValue } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { readParameters } from './06-set-parameters.js';
import { eventful, unchanged } from './observe.js';
import { rawCommand } from './raw-arguments.js';
import { wrongTexts, wrongTypeText } from './wrong-values.js';

const downtimeText = "Parameter 'downtime_limit' expects an integer in the range of 0 to 2000 seconds";
const cacheText =
  "Parameter 'xbzrle_cache_size' expects is invalid, it should be bigger than target page size and a power of two";

/** Each call with the value that its parameter shows afterwards; nothing else may change. */
async function stores(
  t: Trial,
  session: Session,
  command: string,
  parameter: string,
  cases: readonly (readonly [text: string, shown: JsonValue])[],
): Promise<void> {
  const before = await readParameters(t, session);
  for (const [text, shown] of cases) {
    const reply = await rawCommand(session, command, `{"value":${text}}`);
    t.equal(t.succeeded(reply, `${command} ${text}`), {}, `${command} ${text}`);
    t.same(await readParameters(t, session), { ...before, [parameter]: shown }, `${command} ${text}`);
  }
}

async function refuses(t: Trial, session: Session, command: string, texts: readonly string[], desc: string) {
  await unchanged(t, session, `refused calls of ${command}`, async () => {
    for (const text of texts) {
      const reply = await rawCommand(session, command, `{"value":${text}}`);
      t.failed(reply, 'GenericError', desc, `${command} ${text}`);
    }
  });
}

const two64 = 2n ** 64n;

export const deprecated = new ChapterBuilder(['Migration commands', '7 Deprecated commands'], 'commands.md §7')
  .must(
    'MIG-CMD-LEG-01.stored',
    'migrate_set_speed stores every integer, a negative one modulo 2^64',
    async (t) => {
      await stores(t, await eventful(t), 'migrate_set_speed', 'max-bandwidth', [
        ['0', 0],
        ['1', 1],
        ['-1', two64 - 1n],
        ['-9223372036854775808', 2n ** 63n],
        ['9223372036854775807', 2n ** 63n - 1n],
        ['9007199254740993', 2n ** 53n + 1n],
        ['33554432', 33554432],
      ]);
    },
    { needs: { commands: ['migrate_set_speed'] } },
  )
  .must(
    'MIG-CMD-LEG-01.type',
    'migrate_set_speed refuses what is no signed 64-bit integer',
    async (t) => {
      const session = await eventful(t);
      await refuses(t, session, 'migrate_set_speed', wrongTexts('integer'), wrongTypeText('integer', 'value'));
    },
    { needs: { commands: ['migrate_set_speed'] } },
  )
  .must(
    'MIG-CMD-LEG-02.truncated',
    'migrate_set_downtime stores whole milliseconds, the rest is cut off',
    async (t) => {
      await stores(t, await eventful(t), 'migrate_set_downtime', 'downtime-limit', [
        ['0.0015', 1],
        ['1.2349', 1234],
        ['0.0004', 0],
        ['0.5', 500],
        ['5e-1', 500],
        ['1', 1000],
        ['0', 0],
        ['2000', 2000000],
        ['2e3', 2000000],
      ]);
    },
    { needs: { commands: ['migrate_set_downtime'] } },
  )
  .must(
    'MIG-CMD-LEG-02.range',
    'migrate_set_downtime takes 0 to 2000 seconds',
    async (t) => {
      const session = await eventful(t);
      const texts = ['-1', '-0.001', '2000.0001', '2001', '1e9', '18446744073709551615'];
      await refuses(t, session, 'migrate_set_downtime', texts, downtimeText);
    },
    { needs: { commands: ['migrate_set_downtime'] } },
  )
  .must(
    'MIG-CMD-LEG-02.type',
    'migrate_set_downtime takes numbers only',
    async (t) => {
      const session = await eventful(t);
      await refuses(t, session, 'migrate_set_downtime', wrongTexts('number'), wrongTypeText('number', 'value'));
    },
    { needs: { commands: ['migrate_set_downtime'] } },
  )
  .must(
    'MIG-CMD-LEG-03.stored',
    'migrate-set-cache-size stores powers of two from the page size on',
    async (t) => {
      await stores(t, await eventful(t), 'migrate-set-cache-size', 'xbzrle-cache-size', [
        ['4096', 4096],
        ['8192', 8192],
        ['1073741824', 1073741824],
        ['4611686018427387904', 2n ** 62n],
        ['-9223372036854775808', 2n ** 63n],
        ['67108864', 67108864],
      ]);
    },
    { needs: { commands: ['migrate-set-cache-size'] } },
  )
  .must(
    'MIG-CMD-LEG-03.range',
    'migrate-set-cache-size rounds nothing: what is no power of two or below a page is refused',
    async (t) => {
      const session = await eventful(t);
      const texts = ['0', '1', '2048', '4095', '4097', '5000', '100000', '-1', '-4096', '9223372036854775807'];
      await refuses(t, session, 'migrate-set-cache-size', texts, cacheText);
    },
    { needs: { commands: ['migrate-set-cache-size'] } },
  )
  .must(
    'MIG-CMD-LEG-03.type',
    'migrate-set-cache-size refuses what is no signed 64-bit integer',
    async (t) => {
      const session = await eventful(t);
      await refuses(t, session, 'migrate-set-cache-size', wrongTexts('integer'), wrongTypeText('integer', 'value'));
    },
    { needs: { commands: ['migrate-set-cache-size'] } },
  )
  .must(
    'MIG-CMD-LEG-04',
    'query-migrate-cache-size shows the parameter as a signed integer',
    async (t) => {
      const session = await t.session();
      for (const [size, shown] of [
        [undefined, 67108864],
        [4096, 4096],
        [2n ** 62n, 2n ** 62n],
        [2n ** 63n, -(2n ** 63n)],
      ] as const) {
        if (size !== undefined) {
          t.succeeded(await session.command('migrate-set-parameters', { 'xbzrle-cache-size': size }), `${size}`);
        }
        t.equal(t.succeeded(await session.command('query-migrate-cache-size')), shown, `cache size ${size}`);
      }
    },
    { needs: { commands: ['query-migrate-cache-size'] } },
  )
  .must(
    'MIG-CMD-LEG-01.event',
    'the deprecated commands change their own parameter only, and emit nothing',
    async (t) => {
      const session = await eventful(t);
      await stores(t, session, 'migrate-set-cache-size', 'xbzrle-cache-size', [['4096', 4096]]);
      await stores(t, session, 'migrate_set_speed', 'max-bandwidth', [['4711', 4711]]);
      await stores(t, session, 'migrate_set_downtime', 'downtime-limit', [['0.25', 250]]);
      t.silent(
        session.since(0).filter(({ kind }) => kind === 'event'),
        'events',
      );
    },
    { needs: { commands: ['migrate-set-cache-size', 'migrate_set_speed', 'migrate_set_downtime'] } },
  )
  .must(
    'MIG-CMD-LEG-04.removed',
    'a release that has removed a command says that it was not found',
    async (t) => {
      const session = await t.session();
      for (const name of t.dialect.migration.removedCommands) {
        const reply = await session.command(name, { value: 1 });
        t.failed(reply, 'CommandNotFound', `The command ${name} has not been found`, name);
      }
    },
    {
      needs: {
        unless: ({ dialect }) => (dialect.migration.removedCommands.length > 0 ? undefined : 'nothing was removed'),
      },
    },
  )
  .done();
