import { expect } from 'chai';
import type { RunEvent } from '../../oracle/run-events.js';
import { MarkdownReport } from '../../reports/markdown.js';
import { fold } from '../../reports/report.js';
import { diverged, outcome, runs, stream } from './events.js';
import { expectGolden } from './golden.js';

function markdown(events: Iterable<RunEvent>): string {
  let text = '';
  fold(
    events,
    new MarkdownReport((part) => {
      text += part;
    }),
  );
  return text;
}

describe('Markdown report', () => {
  for (const [name, events] of Object.entries(runs)) {
    it(`sums up the run '${name}'`, () => expectGolden(`markdown/${name}.md`, markdown(events())));
  }

  it('says that it conforms only when it does', () => {
    for (const [name, events] of Object.entries(runs)) {
      expect(markdown(events()).includes('✅'), name).to.equal(name === 'green');
    }
  });

  it('keeps a body inside its fence', () => {
    const text = markdown(stream([outcome('crash', { excerpt: ['```` </details>'] })]));
    expect(text).to.match(/^`{5}text$/m);
  });

  it('stays short', () => {
    const text = markdown(stream(Array.from({ length: 50 }, diverged)));
    expect(text.match(/^### ❌/gm)).to.have.length(20);
    expect(text).to.contain('… and 30 more failures.');
  });
});
