import { expect } from 'chai';
import pc from 'picocolors';
import { fold } from '../../reports/report.js';
import { TerminalReport } from '../../reports/terminal.js';
import { diverged, hostile, passed, runs, stream } from './events.js';
import { expectGolden } from './golden.js';

function screen(
  name: string,
  more: { color?: boolean; quiet?: boolean; live?: boolean; columns?: number } = {},
): string {
  let text = '';
  const { color = false, columns, ...rest } = more;
  const report = new TerminalReport(
    (part) => {
      text += part;
    },
    { colors: pc.createColors(color), ...(columns === undefined ? {} : { columns: () => columns }), ...rest },
  );
  fold((runs[name] as () => ReturnType<typeof stream>)(), report);
  return text;
}

describe('terminal report', () => {
  for (const name of Object.keys(runs)) {
    it(`shows the run '${name}'`, () => expectGolden(`terminal/${name}.txt`, screen(name)));
  }

  it('shows a run in colour', () =>
    expectGolden('terminal/everything.color.txt', screen('everything', { color: true })));
  it('shows only what went wrong when quiet', () =>
    expectGolden('terminal/everything.quiet.txt', screen('everything', { quiet: true })));
  it('shows two lines of a green run when quiet', () =>
    expectGolden('terminal/green.quiet.txt', screen('green', { quiet: true })));
  it('fits a narrow terminal', () => expectGolden('terminal/green.narrow.txt', screen('green', { columns: 60 })));
  it('keeps a live line on a terminal', () =>
    expectGolden('terminal/everything.live.txt', screen('everything', { live: true, columns: 40 })));

  it('writes no escape sequence without colours and live line', () => {
    for (const name of Object.keys(runs))
      expect(screen(name), name).to.not.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  it('never lets the live line wrap, and takes it away before anything else is written', () => {
    const parts: string[] = [];
    const report = new TerminalReport((part) => parts.push(part), {
      colors: pc.createColors(false),
      live: true,
      columns: () => 20,
    });
    fold(stream([passed(), diverged()]), report);
    let shown = false;
    for (const part of parts) {
      const live = part.startsWith('\r\x1b[K');
      if (!live) expect(shown, `live line under ${JSON.stringify(part)}`).to.equal(false);
      if (live) expect(part.slice(4).length).to.be.below(20);
      shown = live && part.length > 4;
    }
    expect(shown).to.equal(false);
    expect(parts.some((part) => part.includes('1/2'))).to.equal(true);
  });

  it('shows each permitted outcome', () => {
    expect(screen('everything')).to.match(
      /expected {2}status is "cancelled"\n +or +status is "cancelling"\n +got +"failed"/,
    );
  });

  it('tells one cause of many unjudged requirements once', () => {
    expect(screen('interrupted').match(/interrupted/g)).to.have.length(1);
    expect(screen('interrupted')).to.contain('30 not run: the run was interrupted');
  });

  it('shows what a hostile monitor sent, without obeying it', () => {
    expect(hostile).to.contain('\x1b');
    expect(screen('longWire')).to.contain('\\x1b[2J');
  });
});
