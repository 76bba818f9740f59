import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pc from 'picocolors';
import type { Io } from '../../cli/io.js';
import { main } from '../../cli/program.js';
import { version } from '../../cli/version.js';
import { exitCodes } from '../../oracle/exit-codes.js';
import { everything, passed, runs, stream } from '../reports/events.js';
import { expectGolden } from '../reports/golden.js';
import { capturedIo } from './captured-io.js';
import { withFolder } from './process.js';

interface Screen {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
async function screen(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Screen> {
  const { io, text } = capturedIo();
  const code = await main(args, io, env);
  return { code, ...text };
}

const show = (args: readonly string[], { code, out, err }: Screen): string =>
  `$ qmpspec ${args.join(' ')}\n${out}${err === '' ? '' : `[standard error]\n${err}`}[exit code ${code}]\n`;

/** Whatever goes wrong, a user sees one line that names the program. */
function expectOneLine({ out, err }: Screen): void {
  expect(out).to.equal('');
  expect(err).to.match(/^qmpspec: [^\n]+\n$/);
  expect(err).to.not.match(/^\s+at /m);
}

describe('command line', () => {
  for (const command of ['', 'run', 'list', 'show', 'report', 'fuzz', 'replay']) {
    const args = [...(command === '' ? [] : [command]), '--help'];
    it(`explains itself: ${args.join(' ')}`, async () => {
      const shown = await screen(args);
      expect(shown.code).to.equal(0);
      expectGolden(`cli/help${command === '' ? '' : `-${command}`}.txt`, show(args, shown));
    });
  }

  it('shows the table of exit codes', async () => {
    const { out } = await screen(['--help']);
    for (const code of Object.values(exitCodes)) expect(out).to.match(new RegExp(`^ +${code} {2}\\w`, 'm'));
  });

  it('prints help and fails when asked for nothing', async () => {
    const { code, out, err } = await screen([]);
    expect(code).to.equal(exitCodes.usage);
    expect(out).to.equal('');
    expect(err).to.contain('Usage: qmpspec');
  });

  it('tells its version', async () => {
    expect(await screen(['--version'])).to.deep.equal({ code: 0, out: `${version()}\n`, err: '' });
    expect(version()).to.match(/^\d+\.\d+\.\d+/);
  });

  const errors: Readonly<Record<string, readonly [number, ...string[]]>> = {
    'unknown-command': [2, 'rnu'],
    'unknown-option': [2, 'run', '--tagret', 'qemu'],
    'unknown-selector': [2, 'run', 'QMP-NEC-01'],
    'unknown-skip': [2, 'run', '--skip', 'QMP-NEC-01'],
    'unknown-id': [2, 'show', 'QMP-NEG-1'],
    'unknown-target': [2, 'run', '--target', 'qmeu'],
    'unknown-dialect': [2, 'run', '--dialect', '7.1'],
    'unknown-reference-dialect': [2, 'run', '--target', 'reference:7.1'],
    'unknown-format': [2, 'run', '--report', 'junti=x.xml'],
    'no-report-file': [2, 'run', '--report', 'junit'],
    'same-report-file': [2, 'run', '--report', 'junit=-,tap=-'],
    'unwritable-report': [9, 'run', '--report', 'junit=/nonexistent/folder/x.xml'],
    'bad-jobs': [2, 'run', '--jobs', '0'],
    'bad-seed': [2, 'run', '--seed', '-1'],
    'no-option-value': [2, 'run', '--target'],
    'too-many-words': [2, 'show', 'QMP-NEG-01', 'QMP-NEG-03'],
    'no-config': [2, 'run', '--config', '/nonexistent/config.json'],
    'unknown-placeholder': [2, 'run', '--target', 'command:mine {qmp-psth}'],
    'no-placeholder': [2, 'run', '--target', 'command:mine'],
    'no-expectations': [2, 'run', '--expect', '/nonexistent/known.json'],
    'bad-shard': [2, 'run', '--shard', '4/3'],
    'existing-expectations': [2, 'run', '--write-expect', '/'],
    'no-program': [3, 'run', '--target', 'qemu:/nonexistent/qemu'],
    'no-socket': [3, 'run', '--target', 'unix:/nonexistent/qmp.sock', 'QMP-NEG-01'],
    'nothing-left': [4, 'run', 'QMP-NEG-01', '--skip', 'QMP-NEG-01'],
    'unknown-source': [2, 'fuzz', '--only', 'wlak', '--runs', '1'],
    'bad-time-span': [2, 'fuzz', '--time', 'soon'],
    'bad-coverage-format': [2, 'fuzz', '--coverage=pdf'],
    'no-campaign': [2, 'fuzz', '--resume', '/nonexistent/campaign'],
    'two-folders': [2, 'fuzz', '--resume', '/nonexistent/a', '--out', '/nonexistent/b'],
    'no-known-file': [2, 'fuzz', '--known', '/nonexistent/known'],
    'no-case': [2, 'replay'],
    'no-case-file': [2, 'replay', '/nonexistent/case.json'],
    'bad-times': [2, 'replay', 'case.json', '--times', '0'],
    'unwritable-scenario': [9, 'diff', '--target', 'reference', '--save', '/nonexistent/folder/x.json'],
    'remote-proxy': [2, 'proxy', '--listen', 'tcp:0.0.0.0:4444', '--connect', 'unix:/nonexistent/qmp.sock'],
    'no-binary': [2, 'run', '--target', 'qemu:'],
    'no-stream-file': [2, 'report', '/nonexistent/run.ndjson'],
  };
  for (const [name, [code, ...args]] of Object.entries(errors)) {
    it(`says in one line what is wrong: ${args.join(' ')}`, async () => {
      const shown = await screen(args);
      // A run that could not begin has a screen that says so as well.
      if (name !== 'no-program' && name !== 'no-socket') expectOneLine(shown);
      expect(shown.code).to.equal(code);
      expectGolden(`cli/error-${name}.txt`, show(args, shown));
    });
  }

  it('opens the reports before it starts anything', async () => {
    await withFolder(async (folder) => {
      const mark = join(folder, 'started');
      const program = join(folder, 'monitor');
      writeFileSync(program, `#!/bin/sh\n: > '${mark}'\n`, { mode: 0o755 });
      const target = `command:${program} {qmp}`;
      const { code } = await screen(['run', '-t', target, '-r', `junit=${folder}`, 'QMP-NEG-01']);
      expect(code).to.equal(exitCodes.storage);
      expect(existsSync(mark)).to.equal(false);
      // The same command line with a file that can be written does start it.
      expect((await screen(['run', '-t', target, '-r', `junit=${folder}/x.xml`, 'QMP-NEG-01'])).code).to.equal(3);
      expect(existsSync(mark)).to.equal(true);
      expect(readFileSync(join(folder, 'x.xml'), 'utf8')).to.contain('<error ');
    });
  });

  it('says no more than a line of an internal fault, and all of it when asked', async () => {
    let err = '';
    const plain = { isTTY: false, columns: () => 80, colors: pc.createColors(false) };
    const broken = () => {
      throw new Error('first line\nsecond line');
    };
    const gather = (text: string) => {
      err += text;
    };
    const io: Io = { out: { ...plain, write: broken }, err: { ...plain, write: gather }, exitCode: 0 };
    expect(await main(['list'], io, {})).to.equal(exitCodes.internal);
    expect(err).to.match(/^qmpspec: internal error: first line \(.*QMPSPEC_DEBUG=1.*\)\n$/);
    err = '';
    expect(await main(['list'], io, { QMPSPEC_DEBUG: '1' })).to.equal(exitCodes.internal);
    expect(err)
      .to.contain('second line')
      .and.match(/^ +at /m);
  });
});

describe('qmpspec list', () => {
  it('lists what a selector selects', async () => {
    const args = ['list', 'QMP-NEG-0[34]'];
    expectGolden('cli/list.txt', show(args, await screen(args)));
  });

  it('lists as JSON', async () => {
    const { out, code } = await screen(['list', '--json', 'QMP-NEG-03']);
    expect(code).to.equal(0);
    expect(JSON.parse(out)[0]).to.include({ id: 'QMP-NEG-03', level: 'MUST', spec: 'qmp-protocol.md §3' });
  });

  it('gives each requirement an id of its own', async () => {
    const ids = (JSON.parse((await screen(['list', '--json'])).out) as { id: string }[]).map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids.length).to.be.above(100);
  });
});

describe('qmpspec show', () => {
  it('shows a requirement without running it', async () => {
    const args = ['show', '--no-wire', 'QMP-NEG-03'];
    expectGolden('cli/show.txt', show(args, await screen(args)));
  });
});

describe('qmpspec report', () => {
  const lines = (events: readonly object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');

  it('renders a recorded run again, and ends as it did', async () => {
    await withFolder(async (folder) => {
      for (const [name, code] of Object.entries({
        green: 0,
        everything: 1,
        notApplicable: 4,
        aborted: 3,
        interrupted: 130,
      })) {
        const file = join(folder, `${name}.ndjson`);
        writeFileSync(file, lines((runs[name] as () => object[])()));
        const shown = await screen(['report', file]);
        expect(shown.code, name).to.equal(code);
        expectGolden(`terminal/${name}.txt`, shown.out);
      }
    });
  });

  it('writes every format', async () => {
    await withFolder(async (folder) => {
      mkdirSync(join(folder, 'out'));
      const file = join(folder, 'run.ndjson');
      writeFileSync(file, lines(everything()));
      const names = { tap: 'tap', junit: 'xml', markdown: 'md', terminal: 'txt' };
      const wanted = Object.keys(names).map((format) => `${format}=${join(folder, 'out', format)}`);
      const copy = join(folder, 'out', 'json');
      const shown = await screen(['report', file, '-q', '-r', wanted.join(','), '-r', `json=${copy}`]);
      expect(shown.code).to.equal(1);
      for (const [format, extension] of Object.entries(names)) {
        expectGolden(`${format}/everything.${extension}`, readFileSync(join(folder, 'out', format), 'utf8'));
      }
      expect(readFileSync(copy, 'utf8')).to.equal(readFileSync(file, 'utf8'));
    });
  });

  it('leaves standard output to a report that claims it', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'run.ndjson');
      writeFileSync(file, lines(everything()));
      const shown = await screen(['report', file, '--report', 'tap=-']);
      expectGolden('tap/everything.tap', shown.out);
      expectGolden('terminal/everything.txt', shown.err);
    });
  });

  it('names what is wrong with a stream, and renders what can be read', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'run.ndjson');
      const xml = join(folder, 'run.xml');
      writeFileSync(file, lines(stream([passed(), passed()]).slice(0, 3)));
      const shown = await screen(['report', file, '--report', `junit=${xml}`]);
      expect(shown.code).to.equal(exitCodes.brokenStream);
      expect(shown.out).to.contain('aborted: the event stream ends after line 3');
      expect(shown.err).to.equal('qmpspec: the event stream ends after line 3 without a footer: the run was cut off\n');
      expect(readFileSync(xml, 'utf8')).to.contain('tests="2" failures="0" errors="1"');
      writeFileSync(file, '');
      expect((await screen(['report', file])).code).to.equal(exitCodes.brokenStream);
      writeFileSync(file, lines(stream([passed()], { header: { planned: 2 }, footer: { planned: 2 } })));
      expect((await screen(['report', file])).code).to.equal(exitCodes.planNotMet);
    });
  });
});
