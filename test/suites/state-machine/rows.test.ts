import { expect } from 'chai';
import { stateMachine } from '../../../suites/state-machine/index.js';
import { leftOut, statedElsewhere } from '../../../suites/state-machine/left-out.js';

const range = (letter: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `MIG-SM-${letter}${String(from + i).padStart(2, '0')}`);

/** Every row of state-machine.md. */
const rows = [
  ...range('E', 1, 6),
  ...range('O', 1, 13),
  ...range('O', 20, 24),
  ...range('O', 30, 45),
  ...range('O', 50, 64),
  ...range('O', 70, 76),
  ...range('O', 80, 86),
  ...range('C', 1, 12),
  ...range('I', 1, 10),
  ...range('I', 20, 24),
  ...range('I', 30, 40),
  ...range('I', 45, 47),
  ...range('I', 50, 55),
  ...range('I', 60, 63),
  ...range('R', 1, 14),
  ...range('K', 1, 4),
];

const requirements = stateMachine.flatMap((chapter) => chapter.requirements);
const rowOf = (id: string) => /^[^.]+/.exec(id)?.[0] ?? id;
const stated = new Set(requirements.map(({ id }) => rowOf(id)));

describe('the rows of the state machine', () => {
  it('are stated by a requirement, or left out for a reason', () => {
    const missing = rows.filter((row) => !stated.has(row) && !(row in leftOut) && !(row in statedElsewhere));
    expect(missing).to.deep.equal([]);
  });

  it('are not both stated and left out', () => {
    const both = [...Object.keys(leftOut), ...Object.keys(statedElsewhere)].filter((row) => stated.has(row));
    expect(both).to.deep.equal([]);
  });

  it('are rows that exist', () => {
    const unknown = [...stated, ...Object.keys(leftOut), ...Object.values(statedElsewhere)].filter(
      (row) => !rows.includes(row),
    );
    expect(unknown).to.deep.equal([]);
    for (const row of Object.values(statedElsewhere)) expect(stated.has(row), row).to.equal(true);
  });

  it('have requirements with ids and titles of their own', () => {
    for (const key of ['id', 'title'] as const) {
      const all = requirements.map((requirement) => requirement[key]);
      expect(all.filter((one, i) => all.indexOf(one) !== i)).to.deep.equal([]);
    }
    expect(requirements.length).to.be.at.least(190);
  });
});
