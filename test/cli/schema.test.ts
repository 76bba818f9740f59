import { expect } from 'chai';
import { CommanderError } from 'commander';
import { schemaCommand } from '../../cli/schema.js';
import { toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { loadSchema, migrationEntities } from '../../reference/schema/index.js';

/** Targets by name, as the command sees them. */
const targets: Readonly<Record<string, unknown>> = {
  reference: toIntrospection(loadSchema('3.0')),
  newer: toIntrospection(loadSchema('7.2'), { features: true }),
  tiny: toIntrospection(
    parseQapi(`{ 'command': 'migrate', 'data': { 'uri': 'str', 'when': 'int' } } { 'command': 'x' }`),
  ),
  broken: [{ name: 'x' }],
};

/** Runs the command; gives what it wrote, its complaints, and the exit status that it asked for. */
async function run(...args: string[]): Promise<{ out: string; err: string; status: number }> {
  let out = '';
  let err = '';
  const command = schemaCommand(
    async (target) => targets[target],
    (text) => {
      out += text;
    },
  );
  for (const each of [command, ...command.commands])
    each.exitOverride().configureOutput({
      writeErr: (text) => {
        err += text;
      },
    });
  const before = process.exitCode;
  try {
    process.exitCode = 0;
    await command.parseAsync(args, { from: 'user' });
    return { out, err, status: process.exitCode ?? 0 };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { out, err, status: error.exitCode };
  } finally {
    process.exitCode = before;
  }
}

describe('cli: schema show', () => {
  it('shows an overview of the baseline', async () => {
    const { out, status } = await run('show');
    expect(status).to.equal(0);
    expect(out).to.match(/^Commands \(\d+\)\n/);
    expect(out).to.include('\n  migrate(uri: str, blk?: bool, inc?: bool, detach?: bool, resume?: bool)\n');
    expect(out).to.include('\n  MIGRATION(status: MigrationStatus)\n');
  });

  it('shows what is named, in full', async () => {
    const { out } = await run('show', 'migrate-recover', 'FailoverStatus');
    expect(out).to.equal(
      [
        'command migrate-recover',
        '  Listens for the source again after a break in postcopy.',
        '  arguments',
        '    uri  str  Where to listen.',
        '  returns nothing',
        '  may be executed out of band',
        '',
        'enum FailoverStatus',
        '  How far the takeover by one side of COLO has come. Internal: no monitor shows it.',
        '  none       Nobody asked for it.',
        '  require    Requested, not begun.',
        '  active     Under way.',
        '  completed  Done.',
        '  relaunch   To be done again.',
        '',
      ].join('\n'),
    );
  });

  it('shows another dialect, or a target', async () => {
    expect((await run('show', '--dialect', '10.0', 'query-migrationthreads')).out).to.include('[deprecated]');
    expect((await run('show', '--target', 'tiny')).out).to.equal(
      'Commands (2)\n  migrate(uri: str, when: int)\n  x()\n\nEvents (0)\n',
    );
  });

  it('writes JSON Schema', async () => {
    const { out } = await run('show', '--json', 'MIGRATION_PASS', 'migrate-pause');
    expect(JSON.parse(out)).to.deep.equal([
      {
        kind: 'event',
        name: 'MIGRATION_PASS',
        data: {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          $ref: '#/$defs/q_obj_MIGRATION_PASS-arg',
          $defs: {
            'q_obj_MIGRATION_PASS-arg': {
              type: 'object',
              properties: { pass: { type: 'integer', minimum: -(2 ** 63), exclusiveMaximum: 2 ** 63 } },
              required: ['pass'],
              additionalProperties: false,
            },
          },
        },
      },
      { kind: 'command', name: 'migrate-pause', arguments: null, returns: null, allowOob: true },
    ]);
    const all = JSON.parse((await run('show', '--json')).out) as { name: string }[];
    expect(all.map(({ name }) => name)).to.include.members([...migrationEntities()]);
  });

  it('suggests a name for one that is not there', async () => {
    expect(await run('show', 'query-migrat')).to.deep.equal({
      out: '',
      err: "error: there is no command, event or type 'query-migrat'. Did you mean 'query-migrate'?\n",
      status: 2,
    });
    expect((await run('show', 'completely-different')).err).to.not.include('Did you mean');
  });

  it('refuses a dialect that does not exist', async () => {
    const { err, status } = await run('show', '--dialect', '2.0');
    expect(status).to.equal(1);
    expect(err).to.include('Allowed choices are 3.0, 7.2, 10.0');
  });
});

describe('cli: schema diff', () => {
  it('the reference does not differ from the baseline', async () => {
    expect(await run('diff')).to.deep.equal({
      out: 'reference does not differ from dialect 3.0.\n',
      err: '',
      status: 0,
    });
    expect((await run('diff', '--target', 'newer', '--dialect', '7.2', '--all')).out).to.equal(
      'newer does not differ from dialect 7.2.\n',
    );
  });

  it('restricts itself to migration, unless told otherwise', async () => {
    const some = await run('diff', '--target', 'newer');
    expect(some.status).to.equal(1);
    expect(some.out).to.include('  - migrate_set_speed: the command is gone\n');
    expect(some.out).to.not.include('query-events');
    expect((await run('diff', '--target', 'newer', '--all')).out).to.include('  - query-events: the command is gone\n');
  });

  it('writes JSON', async () => {
    const { out, status } = await run('diff', '--target', 'tiny', '--json');
    expect(status).to.equal(1);
    const differences = JSON.parse(out) as { path: string }[];
    expect(differences).to.deep.include({
      path: 'migrate.arguments.when',
      kind: 'added',
      text: 'a required member is new: int',
      compatible: 'no',
    });
    expect(differences.map(({ path }) => path)).to.not.include('x');
  });

  it('passes on what is wrong with the reply of a target', async () => {
    const error = await run('diff', '--target', 'broken').catch((caught: unknown) => caught);
    expect(String(error)).to.equal("IntrospectionError: query-qmp-schema: entity 0, 'x', has no meta-type");
  });
});
