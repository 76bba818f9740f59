import { expect } from 'chai';
import { Transcript } from '../../../protocol/transcript.js';
import { loadSchema } from '../../../reference/schema/index.js';
import { baselineFile, entitiesOf } from '../../../suites/coverage/entities.js';
import { holes } from '../../../suites/coverage/holes.js';
import { observe } from '../../../suites/coverage/observe.js';
import { record } from '../../../suites/coverage/record.js';
import { specRows } from '../../../suites/coverage/rows.js';
import { encodeCoverage, matrix } from '../../../suites/coverage/table.js';
import { chapters } from '../../../suites/index.js';
import type { Requirement } from '../../../suites/requirement.js';
import { referenceTarget } from '../../../targets/executable.js';

const requirements = chapters.flatMap((chapter) => chapter.requirements);
const known = new Set(requirements.map(({ id }) => id));

describe('the matrix', () => {
  it('has a row for everything that the migration definitions have', () => {
    const rows = entitiesOf(loadSchema('3.0'), baselineFile);
    const of = (kind: string) => rows.filter((row) => row.startsWith(`${kind} `)).length;
    expect(of('command')).to.equal(22);
    expect(of('event')).to.equal(2);
    expect(of('capability')).to.equal(16);
    expect(of('parameter')).to.equal(16);
    expect(new Set(rows).size).to.equal(rows.length);
    expect(rows).to.include.members([
      'argument migrate.resume',
      'return query-migrate',
      'data MIGRATION_PASS.pass',
      'type XBZRLECacheStats',
      'member MigrationInfo.setup-time',
      'enum MigrationStatus.postcopy-recover',
    ]);
  });

  it('has no hole: a requirement for every entity, or a reason', () => {
    const open = matrix().filter(({ requirements: found, reason }) => found.length === 0 && reason === undefined);
    expect(open.map(({ entity }) => entity)).to.deep.equal([]);
  });

  it('gives no reason where a requirement does it, nor for what there is not', () => {
    const rows = new Map(matrix().map((row) => [row.entity as string, row]));
    for (const [entity, reason] of Object.entries(holes)) {
      expect(rows.get(entity)?.requirements, entity).to.deep.equal([]);
      expect(reason).to.match(/\w+ \w+/);
    }
  });

  it('names requirements that there are', () => {
    const named = matrix().flatMap((row) => row.requirements);
    expect([...new Set(named)].filter((id) => !known.has(id))).to.deep.equal([]);
  });

  it('has a requirement for every row of the specification, or a reason', () => {
    const rows = specRows();
    expect(rows.length).to.be.at.least(562);
    expect(rows.filter((row) => row.requirements.length === 0 && row.reason === undefined)).to.deep.equal([]);
    for (const { id, requirements: found } of rows) {
      expect(new Set(found).size, id).to.equal(found.length);
      for (const one of found) expect(known.has(one), one).to.equal(true);
    }
  });

  it('is what requirements really do', async function () {
    this.timeout(120_000);
    // The fewest requirements that together exercise everything, as recorded, are run and watched.
    const rows = matrix();
    const recorded = new Map<string, string[]>();
    for (const row of rows)
      for (const id of row.requirements) recorded.set(id, [...(recorded.get(id) ?? []), row.entity]);
    const open = new Set<string>(rows.flatMap((row) => (row.requirements.length > 0 ? [row.entity] : [])));
    const chosen: Requirement[] = [];
    while (open.size > 0) {
      const gain = ({ id }: Requirement) => (recorded.get(id) ?? []).filter((row) => open.has(row)).length;
      const best = requirements.map((one) => ({ one, gain: gain(one) })).reduce((a, b) => (b.gain > a.gain ? b : a));
      expect(best.gain).to.be.greaterThan(0);
      chosen.push(best.one);
      for (const row of recorded.get(best.one.id) ?? []) open.delete(row);
    }
    const target = referenceTarget();
    try {
      for (const { id, entities, fault } of await record(target, chosen, 2)) {
        expect(fault, id).to.equal(undefined);
        expect(entities, id).to.include.members(recorded.get(id) ?? []);
      }
    } finally {
      await target.close();
    }
  });
});

describe('what a transcript exercises', () => {
  const schema = loadSchema('3.0');
  const seen = (...entries: readonly (readonly ['sent' | 'received', object])[]) => {
    const transcript = new Transcript();
    for (const [kind, message] of entries) transcript.add('source', kind, JSON.stringify(message));
    return observe(transcript, schema);
  };
  const set = (state: boolean) => ({
    execute: 'migrate-set-capabilities',
    arguments: { capabilities: [{ capability: 'xbzrle', state }] },
    id: 1,
  });

  it('is a capability that was switched on, and not one that was switched off or refused', () => {
    const ok = ['received', { return: {}, id: 1 }] as const;
    expect(seen(['sent', set(true)], ok)).to.include('capability xbzrle');
    expect(seen(['sent', set(false)], ok)).not.to.include('capability xbzrle');
    expect(
      seen(['sent', set(true)], ['received', { error: { class: 'GenericError', desc: '' }, id: 1 }]),
    ).to.have.property('size', 0);
    expect(seen(['sent', set(true)], ['received', { return: {}, id: 2 }])).to.have.property('size', 0);
  });

  it('are the members of what came, as deep as they stand', () => {
    const migrated = seen(
      ['sent', { execute: 'query-migrate', id: 'a' }],
      ['received', { return: { status: 'active', ram: { total: 1 } }, id: 'a' }],
      ['received', { event: 'MIGRATION', data: { status: 'failed' } }],
    );
    expect([...migrated]).to.have.members([
      'command query-migrate',
      'return query-migrate',
      'type MigrationInfo',
      'member MigrationInfo.status',
      'enum MigrationStatus.active',
      'member MigrationInfo.ram',
      'type MigrationStats',
      'member MigrationStats.total',
      'event MIGRATION',
      'data MIGRATION.status',
      'enum MigrationStatus.failed',
    ]);
  });

  it('is written down so that it can be read again', () => {
    const entities = entitiesOf(schema, baselineFile).filter((_, i) => [0, 1, 2, 7, 9, 10].includes(i));
    const text = encodeCoverage([
      { id: 'A', entities },
      { id: 'B', entities: [] },
    ]);
    expect(JSON.parse(text).requirements).to.deep.equal({ A: '0-2 7 9-10' });
  });
});
