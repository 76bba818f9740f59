/** Every row of commands.md is tested by a requirement, or stands here with the reason why not. */
import { expect } from 'chai';
import { commands } from '../../../suites/commands/index.js';
import { statedElsewhere as elsewhere, leftOut as reasons } from '../../../suites/commands/left-out.js';
import { chapters } from '../../../suites/index.js';

const rows: Readonly<Record<string, number>> = {
  GEN: 10,
  QCAP: 2,
  SCAP: 10,
  QPAR: 2,
  SPAR: 7,
  LEG: 4,
  QMIG: 3,
  INV: 9,
  CAN: 4,
  CONT: 3,
  SPC: 3,
  PAU: 3,
  REC: 4,
  INC: 5,
  CMI: 1,
  COLO: 3,
  XEN: 4,
  EVT: 7,
  EXEC: 4,
  SAVE: 1,
};
const migrateRows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 21, 22, 30, 31, 32, 33, 34, 35];

const numbered = (group: string, n: number): string => `MIG-CMD-${group}-${String(n).padStart(2, '0')}`;
const allRows = [
  ...Object.entries(rows).flatMap(([group, count]) => Array.from({ length: count }, (_, i) => numbered(group, i + 1))),
  ...migrateRows.map((n) => numbered('MIG', n)),
];
const ids = commands.flatMap(({ requirements }) => requirements.map(({ id }) => id));
const all = chapters.flatMap(({ requirements }) => requirements.map(({ id }) => id));
const covers = (row: string): boolean => all.some((id) => id === row || id.startsWith(`${row}.`));

describe('suites/commands', () => {
  it('has no id twice', () => {
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).to.deep.equal([]);
  });

  it('has at least as many requirements as it once had', () => {
    expect(ids.length).to.be.at.least(230);
  });

  it('covers every row, or says why not', () => {
    const open = allRows.filter((row) => !covers(row) && !(row in elsewhere) && !(row in reasons));
    expect(open).to.deep.equal([]);
  });

  it('gives no reason for a row that is covered', () => {
    const stale = [...Object.keys(reasons), ...Object.keys(elsewhere)].filter(covers);
    expect(stale).to.deep.equal([]);
  });

  it('names existing rows and requirements only', () => {
    for (const row of [...Object.keys(reasons), ...Object.keys(elsewhere)]) expect(allRows).to.include(row);
    for (const id of Object.values(elsewhere)) expect(all).to.include(id);
  });

  it('gives every requirement a title that is a sentence without its end mark, and a section', () => {
    for (const { requirements } of commands) {
      for (const { title, spec } of requirements) {
        expect(title).to.match(/[^.]$/);
        expect(spec).to.match(/^[a-z-]+\.md §\d/);
      }
    }
  });
});
