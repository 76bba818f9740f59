import { expect } from 'chai';
import pc from 'picocolors';
import { main } from '../../cli/program.js';
import { faults } from '../../reference/faults/index.js';

async function output(...args: string[]): Promise<string> {
  let text = '';
  const stream = (write: (part: string) => void) => ({
    write,
    isTTY: false,
    columns: () => 80,
    colors: pc.createColors(false),
  });
  const keep = (part: string) => {
    text += part;
  };
  expect(await main(args, { out: stream(keep), err: stream(expect.fail), exitCode: 0 }, {})).to.equal(0);
  return text;
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
