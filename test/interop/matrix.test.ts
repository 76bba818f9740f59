import { expect } from 'chai';
import { type Cell, cells } from '../../interop/cells.js';
import { modes } from '../../interop/modes.js';
import { Parties, type PartyName, partyNames } from '../../interop/parties.js';
import { runCells } from '../../interop/run.js';
import { renderTable } from '../../interop/table.js';
import { transportNames } from '../../interop/transports.js';

const name = ({ source, destination, mode, transport }: Cell) =>
  `${source} → ${destination}, ${mode.name}, ${transport}`;

describe('interop matrix', () => {
  const all = cells();

  it('has a cell for each pair, mode and transport', () => {
    expect(all).to.have.length(partyNames.length ** 2 * modes.length * transportNames.length);
    expect(new Set(all.map(name)).size).to.equal(all.length);
  });

  it('says why for every cell that cannot be, and runs all others', () => {
    const reasons = new Set(all.flatMap(({ impossible }) => impossible ?? []));
    for (const reason of reasons) expect(reason).to.match(/^\S.* .*\S$/);
    const possible = all.filter(({ impossible }) => impossible === undefined);
    // A row without a single cell would be a mode that nobody has.
    for (const mode of modes) expect(possible.some((cell) => cell.mode === mode)).to.equal(true, mode.name);
    expect(possible.length).to.be.greaterThan(400);
  });

  it('lets the reference speak as its partner does', () => {
    for (const { source, destination, versions } of all) {
      if (source === 'qemu-7.2' && destination === 'reference') expect(versions.destination).to.equal('7.2');
      if (source === 'reference' && destination === 'qemu-10.0') expect(versions.source).to.equal('10.0');
      if (source === destination) expect(versions.source).to.equal(versions.destination);
    }
  });

  it('narrows to what is selected', () => {
    const some = cells({ sources: ['reference'], destinations: ['qemu-7.2'], modes: ['plain'], transports: ['fd'] });
    expect(some.map(name)).to.deep.equal(['reference → qemu-7.2, plain, fd']);
  });

  it('shows failures, reasons and absences apart', () => {
    const [first, second, third] = cells({ sources: ['reference'], destinations: ['reference'], modes: ['plain'] });
    const text = renderTable([
      { cell: first as Cell, outcome: { kind: 'equal', ms: 1 } },
      { cell: second as Cell, outcome: { kind: 'failed', why: 'RAM differs' } },
      { cell: third as Cell, outcome: { kind: 'absent', why: 'no qemu-7.2' } },
    ]);
    expect(text).to.contain('plain');
    expect(text).to.match(/ok +FAILED +absent \(1\)/);
    expect(text).to.contain('(1) no qemu-7.2');
    expect(text).to.contain('reference → reference, plain, unix: RAM differs');
    expect(text).to.contain('3 cells: 1 equal, 1 failed, 0 impossible, 1 absent');
  });
});

const pairs: readonly (readonly [PartyName, PartyName])[] = [
  ['reference', 'qemu-7.2'],
  ['qemu-10.0', 'reference'],
  ['reference', 'qemu-10.0'],
  ['qemu-7.2', 'reference'],
];

/** One cell of each mode, the transports and the QEMUs in turn; the whole matrix is `npm run interop`. */
function sample(): Cell[] {
  return modes.map((mode, index) => {
    const candidates = [...pairs.slice(index % pairs.length), ...pairs].flatMap(([source, destination]) =>
      cells({ sources: [source], destinations: [destination], modes: [mode.name] }).filter(
        ({ impossible }) => impossible === undefined,
      ),
    );
    const turn = transportNames[(index + 1) % transportNames.length];
    const inTurn = candidates.slice(0, transportNames.length).find(({ transport }) => transport === turn);
    const cell = inTurn ?? candidates[0];
    if (cell === undefined) throw new Error(`no cell with ${mode.name}`);
    return cell;
  });
}

describe('interop: one cell of each mode', function () {
  this.timeout(60_000);
  const parties = new Parties();
  after(() => parties.close());

  for (const cell of sample()) {
    it(name(cell), async function () {
      for (const party of [cell.source, cell.destination]) {
        const why = parties.absent(party);
        if (why === undefined) continue;
        if (process.env.QMPSPEC_REQUIRE_QEMU === '1') throw new Error(`no ${party}: ${why}`);
        console.log(`    skipped: no ${party}: ${why}`);
        this.skip();
      }
      const [result] = await runCells([cell], parties, 1);
      if (result?.outcome.kind === 'absent') {
        console.log(`    skipped: ${result.outcome.why}`);
        this.skip();
      }
      expect(result?.outcome).to.include({ kind: 'equal' });
    });
  }
});
