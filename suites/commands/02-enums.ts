/** commands.md §2: names that the schema lists for migration. */

import { capabilitiesOf, statusesOf } from '../../qapi/enums.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { ChapterBuilder } from '../requirement.js';
import { fitsExactly, unlessIntrospected } from './dialect-fit.js';

const baselineStatuses: readonly string[] = [
  'none',
  'setup',
  'cancelling',
  'cancelled',
  'active',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
  'completed',
  'failed',
  'colo',
  'pre-switchover',
  'device',
];
/** Statuses that a release adds to the baseline's (state-machine.md §10.1). */
const addedStatuses = ({ name, migration }: Dialect): readonly string[] => [
  ...(name === '3.0' ? [] : ['wait-unplug']),
  ...(migration.recoverSetup ? ['postcopy-recover-setup'] : []),
  ...migration.laterStatuses,
];

/** A value that gives away an enum which never appears on QMP, and the enum (commands.md §2.3, §2.4). */
const internalValues: Readonly<Record<string, string>> = {
  'tls-creds': 'MigrationParameter',
  'checkpoint-ready': 'COLOMessage',
  relaunch: 'FailoverStatus',
};

const shown = { needs: { commands: ['query-migrate'] } } as const;

const sorted = (names: Iterable<string>): string[] => [...names].sort();

export const enums = new ChapterBuilder(['Migration commands', '2 Enums'], 'commands.md §2', {
  unless: unlessIntrospected,
})
  .must(
    'MIG-CMD-ENUM-01',
    'the schema lists every status of the baseline',
    async (t) => {
      const listed = statusesOf(t.facts.schema);
      const missing = baselineStatuses.filter((name) => !listed.includes(name));
      t.same(missing, [], 'statuses that are not listed');
      t.check(new Set(listed).size === listed.length, 'each status once', listed.join(', '));
    },
    shown,
  )
  .must(
    'MIG-CMD-ENUM-02',
    'the schema lists no status beyond those of its release',
    async (t) => {
      if (!fitsExactly(t.facts)) t.check(statusesOf(t.facts.schema).length > 0, 'statuses', 'none');
      else {
        const known = [...baselineStatuses, ...addedStatuses(t.dialect)];
        t.same(sorted(statusesOf(t.facts.schema)), sorted(known), 'statuses');
      }
    },
    shown,
  )
  .must(
    'MIG-CMD-ENUM-03',
    'the schema lists the capabilities of its release, under their names of then',
    async (t) => {
      const listed = capabilitiesOf(t.facts.schema);
      if (fitsExactly(t.facts)) t.same(sorted(listed), sorted(t.dialect.migration.capabilities), 'capabilities');
      for (const name of ['xbzrle', 'events', 'postcopy-ram', 'return-path', 'pause-before-switchover']) {
        t.check(listed.includes(name), `the capability ${name}`, listed.join(', '));
      }
    },
    { needs: { commands: ['query-migrate-capabilities'] } },
  )
  .must('MIG-CMD-ENUM-04', 'enums of the inside of a monitor are not part of the schema', async (t) => {
    for (const type of t.facts.schema.types.values()) {
      if (type.kind !== 'enum') continue;
      const given = type.values.map(({ name }) => internalValues[name]).find((name) => name !== undefined);
      t.check(given === undefined, 'no enum for internal use', `${given}: ${type.values.map(({ name }) => name)}`);
    }
  })
  .done();
