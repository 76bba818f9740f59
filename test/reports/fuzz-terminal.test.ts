import { expect } from 'chai';
import pc from 'picocolors';
import type { Standing } from '../../campaign/events.js';
import { FuzzScreen } from '../../reports/fuzz-terminal.js';

const standing = (inThisRun: number, commands: number): Standing => ({
  cases: 1,
  commands,
  elapsed: inThisRun + 60_000,
  inThisRun,
  transitions: 2,
  novelties: 3,
  corpus: 1,
  findings: 0,
  known: 0,
  unconfirmed: 0,
  open: 0,
});

/** What a screen shows of these moments of a campaign: milliseconds and commands. */
function shown(live: boolean, ...moments: readonly (readonly [number, number])[]): string {
  let text = '';
  const options = { colors: pc.createColors(false), live, columns: () => 200, quiet: false };
  const screen = new FuzzScreen((part) => (text += part), options);
  for (const [at, commands] of moments) screen.take({ event: 'status', standing: standing(at, commands) });
  return text;
}

describe('the screen of a campaign', () => {
  it('tells the rate of the last seconds, without the commands of earlier runs', () => {
    const lines = shown(false, [0, 5000], [10_000, 6000], [19_900, 6000], [20_000, 7500]).trimEnd().split('\n');
    expect(lines.map((line) => / (\d+) commands\/s/.exec(line)?.[1])).to.deep.equal(['100', '0']);
  });

  it('keeps a rate for seconds where the line is alive', () => {
    const text = shown(true, [0, 0], [3000, 300], [3400, 300], [5900, 400], [6100, 400]);
    const rates = [...text.matchAll(/ (\d+) commands\/s/g)].map(([, rate]) => rate);
    expect(rates).to.deep.equal(['0', '100', '100', '100', '32']);
  });
});
