/** Every row of commands.md is tested by a requirement, or stands here with the reason why not. */
import { expect } from 'chai';
import { commands } from '../../../suites/commands/index.js';

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

/** Rows that a requirement with another id tests. */
const elsewhere: Readonly<Record<string, string>> = {
  'MIG-CMD-CONT-02': 'MIG-CMD-CONT-01.none',
  'MIG-CMD-CAN-03': 'QMP-RUN-20.cancel',
  'MIG-CMD-MIG-06': 'QMP-RUN-19.migrate',
  'MIG-CMD-MIG-22': 'QMP-EVT-24',
  'MIG-CMD-SPAR-07': 'MIG-CMD-SPAR-02.compress-level',
  'MIG-CMD-EVT-02': 'MIG-CMD-EVT-01.data',
  'MIG-CMD-EVT-03': 'MIG-CMD-INC-03.off',
  'MIG-CMD-EVT-06': 'QMP-EVT-23.unix',
};

const held = 'needs a migration held in a state: chapters of state-machine.md';
const postcopy = 'needs a migration in postcopy: chapters of state-machine.md';
const colo = 'needs a pair in COLO: chapters of state-machine.md';
const programs = 'needs a target that runs programs of the host';
/** Rows without a requirement in these chapters. */
const reasons: Readonly<Record<string, string>> = {
  'MIG-CMD-CAN-04': held,
  'MIG-CMD-CONT-03': held,
  'MIG-CMD-INV-03': held,
  'MIG-CMD-INV-08': held,
  'MIG-CMD-MIG-03': postcopy,
  'MIG-CMD-MIG-04': postcopy,
  'MIG-CMD-MIG-05': held,
  'MIG-CMD-MIG-07': 'needs a device that cannot migrate, which a plain machine has no bus for',
  'MIG-CMD-MIG-10': 'is about a build without block migration, which does not tell that it is one',
  'MIG-CMD-MIG-33': programs,
  'MIG-CMD-PAU-01': postcopy,
  'MIG-CMD-PAU-02': postcopy,
  'MIG-CMD-REC-02': postcopy,
  'MIG-CMD-REC-03': postcopy,
  'MIG-CMD-REC-04': postcopy,
  'MIG-CMD-SCAP-03': held,
  'MIG-CMD-SCAP-05': 'is about a build without block migration, which does not tell that it is one',
  'MIG-CMD-SCAP-07': 'depends on what the host offers for faults in user space',
  'MIG-CMD-COLO-02': colo,
  'MIG-CMD-COLO-03': colo,
  'MIG-CMD-EVT-07': colo,
  'MIG-CMD-EXEC-01': programs,
  'MIG-CMD-EXEC-02': programs,
  'MIG-CMD-EXEC-03': programs,
  'MIG-CMD-EXEC-04': programs,
  'MIG-CMD-SAVE-01': 'needs a disk that takes snapshots',
};

const numbered = (group: string, n: number): string => `MIG-CMD-${group}-${String(n).padStart(2, '0')}`;
const allRows = [
  ...Object.entries(rows).flatMap(([group, count]) => Array.from({ length: count }, (_, i) => numbered(group, i + 1))),
  ...migrateRows.map((n) => numbered('MIG', n)),
];
const ids = commands.flatMap(({ requirements }) => requirements.map(({ id }) => id));
const covers = (row: string): boolean => ids.some((id) => id === row || id.startsWith(`${row}.`));

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
    for (const id of Object.values(elsewhere)) expect(ids).to.include(id);
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
