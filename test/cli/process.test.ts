import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RunEvent } from '../../oracle/run-events.js';
import { readRunEvents } from '../../reports/ndjson.js';
import { everything } from '../reports/events.js';
import { expectGolden } from '../reports/golden.js';
import { qmpspec, Running, withFolder } from './process.js';

const eventsIn = (file: string): RunEvent[] => [...readRunEvents(readFileSync(file, 'utf8'))];

describe('qmpspec as a process', function () {
  this.timeout(60000);

  it('gives its exit code to the shell, and one line without a stack trace', async () => {
    const { code, stdout, stderr } = await qmpspec('run', 'QMP-NEC-01');
    expect(code).to.equal(2);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^qmpspec: 'QMP-NEC-01' matches no requirement; [^\n]*\n$/);
  });

  it('says in one line that a target cannot be run', async () => {
    const { code, stdout, stderr } = await qmpspec(
      'run',
      '--target',
      'command:/nonexistent/monitor {qmp}',
      'QMP-NEG-01',
    );
    expect(code).to.equal(3);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^qmpspec: [^\n]*\/nonexistent\/monitor[^\n]*\n$/);
  });

  it('checks the reference monitor, and its reports agree', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'run.ndjson');
      const { code, stdout } = await qmpspec('run', 'QMP-NEG-03', 'QMP-NEG-08', '-r', `json=${file}`);
      expect(stdout).to.contain('2 requirements: 2 passed');
      expect(code).to.equal(0);
      const events = eventsIn(file);
      expect(events[0]).to.include({ event: 'header', target: 'reference', planned: 2, strict: false });
      expect(events.at(-1)).to.include({ event: 'footer', ran: 2, exitCode: 0 });
    });
  });

  it('tells of a report and of a screen that the disk has no room for', async () => {
    const report = await qmpspec('run', 'QMP-NEG-08', '-r', 'json=/dev/full');
    expect(report.code).to.equal(9);
    expect(report.stderr).to.match(/^qmpspec: \/dev\/full cannot be written: the disk is full\n$/);
    const screen = await new Running(['run', 'QMP-NEG-08'], { stdout: '/dev/full' }).end;
    expect(screen.code).to.equal(9);
    expect(screen.stderr).to.equal('qmpspec: standard output cannot be written: the disk is full\n');
  });

  it('tells that there is no folder for temporary files', async () => {
    const { code, stderr } = await new Running(['run', 'QMP-NEG-08'], { env: { TMPDIR: '/absent' } }).end;
    expect(code).to.equal(9);
    expect(stderr).to.match(/^qmpspec: no folder for temporary files can be made in \/absent: there is no such folder/);
  });

  it('shows what goes over the wire', async () => {
    const { code, stdout } = await qmpspec('show', 'QMP-NEG-08');
    expect(code).to.equal(0);
    expect(stdout).to.match(/-> \{"execute":"qmp_capabilities","arguments":\{"bar":1\}/);
    expect(stdout).to.match(/<- \{.*"error".*unexpected/);
    expect(stdout).to.match(/conforms, \d+ check/);
  });

  it('reads a recorded run from standard input', async () => {
    const input = everything().map((event) => `${JSON.stringify(event)}\n`);
    const { code, stdout } = await new Running(['report', '-'], { input: input.join('') }).end;
    expect(code).to.equal(1);
    expectGolden('terminal/everything.txt', stdout);
  });

  it('writes nothing but the report to standard output when it claims that', async () => {
    const { code, stdout, stderr } = await qmpspec('run', 'QMP-NEG-08', '-r', 'json=-');
    expect(code).to.equal(0);
    expect([...readRunEvents(stdout)].at(-1)?.event).to.equal('footer');
    expect(stderr).to.contain('1 requirement: 1 passed');
  });

  it('is quiet when its reader goes away, and still ends as it should', async () => {
    const running = new Running(['list']);
    running.closeStdout();
    const { code, stderr } = await running.end;
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends a run in order at ${signal}, with footer and reports`, async () => {
      await withFolder(async (folder) => {
        const file = join(folder, 'run.ndjson');
        const xml = join(folder, 'run.xml');
        const running = new Running(['run', '-j', '1', '-r', `json=${file},junit=${xml}`]);
        await running.until(({ stdout }) => stdout.includes(' ✓ '));
        running.kill(signal);
        const { code, stdout, stderr } = await running.end;
        expect(stderr).to.contain('Ctrl-C again stops at once');
        expect(code).to.equal(130);
        expect(stdout).to.match(/\d+ not run: the run was interrupted/);
        expect(eventsIn(file).at(-1)).to.include({ event: 'footer', exitCode: 130 });
        expect(readFileSync(xml, 'utf8')).to.contain('the run was interrupted');
      });
    });
  }

  it('ends at once at a second Ctrl-C', async () => {
    const running = new Running(['run', '-j', '1']);
    await running.until(({ stdout }) => stdout.includes(' ✓ '));
    running.kill('SIGINT');
    await running.until(({ stderr }) => stderr.includes('again'));
    running.kill('SIGINT');
    expect((await running.end).code).to.equal(130);
  });

  it('ends at once at Ctrl-C while the target has not answered yet', async () => {
    await withFolder(async (folder) => {
      const program = join(folder, 'monitor');
      const mark = join(folder, 'started');
      writeFileSync(program, `#!/bin/sh\necho yes > '${mark}'\nexec sleep 300\n`, { mode: 0o755 });
      const xml = join(folder, 'run.xml');
      const config = { targets: { sleeper: { target: `command:${program} {qmp}`, readiness: 600000 } } };
      writeFileSync(join(folder, 'qmpspec.config.json'), JSON.stringify(config));
      const running = new Running(['run', '-t', 'sleeper', '-r', `junit=${xml}`, 'QMP-NEG-01'], { cwd: folder });
      await appears(mark);
      running.kill('SIGINT');
      // Waiting for the target to answer would take ten minutes, which the time limit of this test does not give.
      const { code, stderr } = await running.end;
      expect(code).to.equal(130);
      expect(stderr).to.equal('qmpspec: interrupted\n');
      expect(readFileSync(xml, 'utf8')).to.contain('<error message="interrupted"');
    });
  });

  it('starts the reference monitor without loading anything else', async () => {
    const { code, stdout } = await qmpspec('monitor', '--version');
    expect(code).to.equal(0);
    expect(stdout).to.match(/^QEMU emulator version 3\.0\.50/);
  });
});

/** Resolves when a file is there and has been written. */
async function appears(file: string): Promise<void> {
  for (;;) {
    try {
      if (readFileSync(file, 'utf8') !== '') return;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
