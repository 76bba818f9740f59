import { expect } from 'chai';
import { chapters } from '../../../suites/index.js';
import { qmpProtocol } from '../../../suites/qmp-protocol/index.js';
import { leftOut } from '../../../suites/qmp-protocol/left-out.js';
import { rows } from './rows.js';

const own = qmpProtocol.flatMap((chapter) => chapter.requirements);
const all = chapters.flatMap((chapter) => chapter.requirements);
const rowOf = (id: string): string => id.split('.')[0] as string;
const repeated = (ids: readonly string[]): string[] => ids.filter((id, i) => ids.indexOf(id) !== i);

describe('requirements of qmp-protocol.md', () => {
  it('are many, each with an id of its own among all chapters', () => {
    expect(own.length).to.be.at.least(400);
    expect(repeated(all.map(({ id }) => id))).to.deep.equal([]);
  });

  it('stand for every row, or the row is listed with a reason', () => {
    const covered = new Set(all.flatMap(({ id, tags }) => [rowOf(id), ...(tags ?? [])]));
    const listed = new Set(leftOut.map(({ id }) => id));
    expect(rows).to.have.lengthOf(316);
    expect(rows.filter((row) => !covered.has(row) && !listed.has(row))).to.deep.equal([]);
  });

  it('are left out only where no requirement stands for the row, once, and with a reason', () => {
    const covered = new Set(own.flatMap(({ id, tags }) => [rowOf(id), ...(tags ?? [])]));
    const ids = leftOut.map(({ id }) => id);
    expect(repeated(ids)).to.deep.equal([]);
    expect(ids.filter((id) => covered.has(id) || !rows.includes(id))).to.deep.equal([]);
    for (const { reason } of leftOut) expect(reason).to.match(/\w+ \w+/);
  });

  it('name only rows that exist, besides the vectors', () => {
    const named = own.flatMap(({ id, tags }) => [rowOf(id), ...(tags ?? [])]);
    expect(named.filter((id) => !rows.includes(id) && !/^QMP-VEC-\d\d$/.test(id))).to.deep.equal([]);
  });

  it('have a sentence as title and a section', () => {
    for (const { id, title, spec } of own) {
      expect(title, id).to.have.length.greaterThan(10);
      expect(spec, id).to.match(/^qmp-protocol\.md §\d/);
    }
  });
});
