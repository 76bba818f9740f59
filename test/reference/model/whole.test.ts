import { expect } from 'chai';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import {
  diagram,
  explore,
  incomingRows,
  migrationStatuses,
  notTransitions,
  outgoingRows,
  rowIndex,
} from '../../../reference/model/index.js';

/** `O01-13` means O01 … O13. */
function ids(...ranges: string[]): string[] {
  return ranges.flatMap((range) => {
    const [, letter = '', from = '', to = from] = /^([A-Z])(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const count = Number(to) - Number(from) + 1;
    return Array.from({ length: count }, (_none, i) => `MIG-SM-${letter}${String(Number(from) + i).padStart(2, '0')}`);
  });
}

/** Every row of state-machine.md §3 and §4. */
const outgoingIds = ids('O01-13', 'O20-24', 'O30-45', 'O50-64', 'O70-76', 'O80-86', 'C01-12');
const incomingIds = ids('I01-10', 'I20-24', 'I30-40', 'I45-47', 'I50-55', 'I60-63');

describe('model: as a whole', function () {
  this.timeout(120_000);

  it('holds every row of the specification, or says why not', () => {
    const found = new Set(rowIndex(dialects['3.0'].migration).map(({ id }) => id));
    const missing = [...outgoingIds, ...incomingIds].filter((id) => !found.has(id) && notTransitions[id] === undefined);
    expect(missing).to.deep.equal([]);
    for (const id of Object.keys(notTransitions))
      expect(found.has(id), `${id} is a transition after all`).to.equal(false);
  });

  it('has no row that the specification does not have', () => {
    const known = new Set([...outgoingIds, ...incomingIds]);
    const strange = [...outgoingRows, ...incomingRows]
      .flatMap(({ ids }) => ids)
      .filter((id) => !known.has(id) && !/^MIG-SM-R\d/.test(id));
    expect(strange).to.deep.equal([]);
  });

  it('reaches all 13 statuses', () => {
    const rules = dialects['3.0'].migration;
    const reached = new Set<string>();
    for (const set of [['postcopy-ram', 'pause-before-switchover', 'events'], ['x-colo'], ['events']]) {
      const { outgoing } = explore(rules, set, { courseOnly: true, starts: [{}] });
      for (const status of outgoing) reached.add(status);
    }
    expect(migrationStatuses.filter((status) => !reached.has(status))).to.deep.equal([]);
  });

  for (const name of dialectNames) {
    it(`has no deadlock and no contradiction in dialect ${name}`, () => {
      for (const set of [
        ['events', 'postcopy-ram', 'pause-before-switchover'],
        ['return-path', 'x-colo'],
      ]) {
        const { problems, states } = explore(dialects[name].migration, set, { courseOnly: true });
        expect(problems).to.deep.equal([]);
        expect(states).to.be.greaterThan(500);
      }
    });
  }

  it('draws both sides', () => {
    const rules = dialects['3.0'].migration;
    for (const side of ['outgoing', 'incoming'] as const) {
      const svg = diagram(rules, side, 'svg');
      expect(svg).to.match(/^<svg [\s\S]*<\/svg>\n$/);
      expect(svg).to.contain('>postcopy-recover<');
      expect(svg).not.to.match(/NaN|undefined/);
      expect(diagram(rules, side, 'mermaid')).to.match(/^stateDiagram-v2\n/);
    }
    expect(diagram(rules, 'outgoing', 'mermaid')).to.contain('cancelling --> cancelled');
  });
});
