import { expect } from 'chai';
import { StandardError } from '../../targets/standard-error.js';

describe('standard error in a transcript', () => {
  const told = (heard: readonly string[], most: number): string[] => {
    const lines: string[] = [];
    const error = new StandardError((line) => lines.push(line), most);
    for (const text of heard) error.hear(text);
    error.end();
    return lines;
  };

  it('stands there line by line, the last one without an end too', () => {
    expect(told(['a\nb', 'c\n', '\nd'], 100)).to.deep.equal(['a', 'bc', '', 'd']);
  });

  it('of a flood has its beginning and its end, and says how much is between', () => {
    const all = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
    const lines = told([`${all.join('\n')}\n`], 100);
    expect(lines.slice(0, 3)).to.deep.equal(all.slice(0, 3));
    expect(lines.at(-1)).to.equal('line 999');
    const between = lines.findIndex((line) => line.includes('left out'));
    const count = Number(/\d+/.exec(lines[between] as string)?.[0]);
    expect(lines[between - 1]).to.match(/goes on/);
    expect(between - 1 + count + (lines.length - between - 1)).to.equal(1000);
    expect(lines.length).to.be.lessThan(50);
  });

  it('without an end of line is told in pieces', () => {
    expect(told(['x'.repeat(250)], 100)[0]).to.equal('x'.repeat(100));
  });

  it('begins anew with a new transcript', () => {
    const lines: string[] = [];
    const error = new StandardError((line) => lines.push(line), 10);
    error.hear('0123456789\nlost\n');
    error.anew();
    error.hear('kept\n');
    error.end();
    expect(lines.at(-1)).to.equal('kept');
    expect(lines).not.to.include('lost');
  });
});
