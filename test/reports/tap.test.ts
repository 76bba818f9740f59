import { expect } from 'chai';
import { Parser, type Result } from 'tap-parser';
import type { RunEvent } from '../../oracle/run-events.js';
import { fold } from '../../reports/report.js';
import { TapReport } from '../../reports/tap.js';
import { passed, runs, stream } from './events.js';
import { expectGolden } from './golden.js';

function tap(events: Iterable<RunEvent>): string {
  let text = '';
  fold(
    events,
    new TapReport((part) => {
      text += part;
    }),
  );
  return text;
}

function parse(text: string) {
  const points: Result[] = [];
  const strangers: string[] = [];
  const parser = new Parser();
  parser.on('assert', (point: Result) => points.push(point));
  parser.on('extra', (line: string) => strangers.push(line));
  let ok: boolean | undefined;
  parser.on('complete', (results: { ok: boolean }) => {
    ok = results.ok;
  });
  parser.end(text);
  return { points, strangers, ok };
}

describe('TAP report', () => {
  for (const [name, events] of Object.entries(runs)) {
    it(`writes the run '${name}', all of it TAP`, () => {
      const text = tap(events());
      expectGolden(`tap/${name}.tap`, text);
      const { points, strangers } = parse(text);
      expect(strangers).to.deep.equal([]);
      expect(points).to.have.length(
        events().filter(({ event }) => event === 'requirement' || event === 'unmatched').length,
      );
    });
  }

  it('is ok where the run is, and nowhere else', () => {
    for (const name of ['green', 'notApplicable'])
      expect(parse(tap((runs[name] as () => RunEvent[])())).ok, name).to.equal(true);
    for (const name of ['everything', 'strict', 'longWire', 'aborted', 'interrupted', 'cutOff', 'nothing']) {
      expect(parse(tap((runs[name] as () => RunEvent[])())).ok, name).to.equal(false);
    }
  });

  it('gives names and diagnostics back as they were', () => {
    const [point] = parse(tap((runs.longWire as () => RunEvent[])())).points;
    expect(point?.name).to.contain('# TODO \\ \\x9b').and.contain('not ok 99');
    expect(point?.todo).to.equal(false);
    expect(point?.diag.expected).to.deep.equal(['one line']);
    expect(point?.diag.got[0]).to.contain('\\x1b[2J').and.contain('漢字');
  });

  it('is not ok when fewer came than were planned', () => {
    expect(parse(tap(stream([passed()], { header: { planned: 2 } }))).ok).to.equal(false);
  });
});
