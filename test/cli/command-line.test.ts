import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { repeatCommand, shellLine } from '../../cli/command-line.js';
import { wantsColor } from '../../cli/io.js';

describe('reproduction command', () => {
  it('leaves out what is at its default', () => {
    expect(repeatCommand({ target: 'reference', seed: 0, selectors: [] })).to.equal('qmpspec run');
  });

  const run = {
    target: 'command:./mon --qmp {qmp}',
    config: 'a b.json',
    dialect: '7.2',
    jobs: 3,
    seed: 7,
    skip: ['QMP-X-*'],
    strict: true,
    strictDesc: true,
    selectors: ['QMP-*', "it's"],
  };

  it('says everything that the run depends on', () => {
    expect(repeatCommand(run)).to.equal(
      "qmpspec run --target 'command:./mon --qmp {qmp}' --config 'a b.json' --dialect 7.2 --seed 7 --strict-desc --strict --jobs 3 --skip 'QMP-X-*' 'QMP-*' 'it'\\''s'",
    );
  });

  it('names one requirement alone when asked to', () => {
    expect(repeatCommand(run, 'QMP-X-01')).to.match(/--strict QMP-X-01$/);
  });

  it('comes through a shell word by word', () => {
    const words = ['plain', 'two words', "it's", '*', '$HOME', '`id`', '', 'a\nb', '"', '\\', 'é'];
    const script = `for word in ${shellLine(words)}; do printf '%s\\0' "$word"; done`;
    expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).to.deep.equal(words);
  });
});

describe('colours', () => {
  const cases: readonly [boolean, NodeJS.ProcessEnv, boolean][] = [
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
  ];
  for (const [isTTY, env, wanted] of cases) {
    it(`are ${wanted ? 'on' : 'off'} ${isTTY ? 'on a terminal' : 'in a pipe'} with ${JSON.stringify(env)}`, () => {
      expect(wantsColor(isTTY, env)).to.equal(wanted);
    });
  }
});
