import { expect } from 'chai';
import { chapters } from '../../../suites/index.js';
import { leftOut } from '../../../suites/stream-format/left-out.js';
import { streamRows } from './rows.js';

const all = chapters.flatMap(({ requirements }) => requirements.map(({ id, spec }) => ({ id, spec })));
const own = all.filter(({ spec }) => /^(stream-format|xbzrle|multifd)\.md/.test(spec));
const stating = (beginning: string) => all.filter(({ id }) => id.startsWith(`MIG-${beginning}`));
const leftOutRows = streamRows.filter(({ by }) => by.length === 0);
/** Sections of a left-out row are named more finely there. */
const reasonOf = ({ section, row }: { section: string; row: string }) =>
  Object.keys(leftOut).find((key) => key.startsWith(section) && key.endsWith(`, ${row}`));

describe('the rows of the stream chapters', () => {
  it('are stated by requirements that exist, or left out for a reason', () => {
    for (const { section, row, by } of streamRows) {
      for (const beginning of by) expect(stating(beginning), `${section}, ${row}: ${beginning}`).not.to.be.empty;
    }
    for (const row of leftOutRows) expect(reasonOf(row), `${row.section}, ${row.row}`).not.to.equal(undefined);
  });

  it('give a reason for nothing else', () => {
    const reasons = leftOutRows.map(reasonOf);
    expect(Object.keys(leftOut).filter((key) => !reasons.includes(key))).to.deep.equal([]);
    for (const reason of Object.values(leftOut)) expect(reason).to.match(/\w+ \w+/);
  });

  it('name every requirement of these chapters', () => {
    const beginnings = streamRows.flatMap(({ by }) => by.map((one) => `MIG-${one}`));
    const unnamed = own.filter(({ id }) => !beginnings.some((one) => id.startsWith(one)));
    expect(unnamed.map(({ id }) => id)).to.deep.equal([]);
  });
});
