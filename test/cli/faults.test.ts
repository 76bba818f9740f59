import { expect } from 'chai';
import { main } from '../../cli/program.js';
import { faults } from '../../reference/faults/index.js';
import { capturedIo } from './captured-io.js';

async function output(...args: string[]): Promise<string> {
  const { io, text } = capturedIo();
  expect(await main(args, io, {})).to.equal(0);
  expect(text.err).to.equal('');
  return text.out;
}

describe('qmpspec faults', () => {
  it('lists each fault under its area', async () => {
    const lines = (await output('faults')).split('\n');
    expect(lines[0]).to.equal('protocol');
    expect(lines.filter((line) => line.startsWith('  '))).to.have.length(faults.size);
    for (const area of new Set([...faults.values()].map((fault) => fault.area))) {
      expect(lines.filter((line) => line === area)).to.have.length(1);
    }
    expect(lines.some((line) => /^ {2}cont-ignored +accepts cont .*\(MIG-SM-O44, MIG-SM-O22\)$/.test(line))).to.equal(
      true,
    );
  });

  it('lists them for programs', async () => {
    const rows = JSON.parse(await output('faults', '--json')) as Record<string, unknown>[];
    expect(rows.map(({ name }) => name)).to.deep.equal([...faults.keys()]);
    expect(rows.find(({ name }) => name === 'stop-lost')).to.deep.equal({
      name: 'stop-lost',
      area: 'events',
      seam: 'event',
      rows: ['MIG-SM-O30', 'MIG-SM-O22', 'MIG-SM-E03', 'MIG-CMD-EVT-05'],
      title: 'stops the guest in silence',
    });
  });
});
