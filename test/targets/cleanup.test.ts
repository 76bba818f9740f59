/** Nothing that we start outlives us, however we end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const program = fileURLToPath(new URL(`./orphan-maker.${extension}`, import.meta.url));

/** Dead, or a zombie that its parent has not asked about. */
const gone = (pid: number): boolean => {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};

/** Whether some process is in a folder below this one. */
const inFolder = (folder: string): boolean =>
  readdirSync('/proc').some((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(`${folder}/`) && !gone(Number(name));
    } catch {
      return false;
    }
  });

const eventually = async (holds: () => boolean, what: string): Promise<void> => {
  const until = performance.now() + 20000;
  while (!holds()) {
    if (performance.now() > until) expect.fail(`${what}, after 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('clean-up', () => {
  let child: ChildProcess;
  let lines: Interface;
  afterEach(() => {
    lines.close();
    child.kill('SIGKILL');
  });

  const begin = async (how: string) => {
    child = spawn(process.execPath, [...process.execArgv, program, how], { stdio: ['ignore', 'pipe', 'ignore'] });
    lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const text = await new Promise<string>((resolve) => lines.once('line', resolve));
    return JSON.parse(text) as { pids: number[]; scratch: string };
  };
  const nothingLeft = async ({ pids, scratch }: { pids: number[]; scratch: string }, folder: string) => {
    for (const pid of pids) await eventually(() => gone(pid), `process ${pid} is still there`);
    await eventually(() => !existsSync(folder), `${folder} is still there`);
    expect(existsSync(scratch)).to.equal(false);
  };

  for (const how of ['dispose', 'close'] as const) {
    it(`is complete after ${how}, what the monitor itself started included`, async () => {
      const started = await begin(how);
      await new Promise((resolve) => lines.once('line', resolve));
      await nothingLeft(started, started.scratch);
    });
  }

  for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`is complete after ${signal}`, async () => {
      const started = await begin('wait');
      expect(started.pids.some(gone)).to.equal(false);
      expect(existsSync(started.scratch)).to.equal(true);
      child.kill(signal);
      await nothingLeft(started, dirname(started.scratch));
    });
  }

  for (const [how, signal, after] of [
    ['start', 'SIGKILL', 20],
    ['start', 'SIGKILL', 95],
    ['start', 'SIGTERM', 50],
    ['copy', 'SIGKILL', 95],
    ['copy', 'SIGTERM', 50],
  ] as const) {
    it(`is complete after ${signal} ${after} ms into many starts${how === 'copy' ? ' of copies' : ''}`, async () => {
      const started = await begin(how);
      await new Promise((resolve) => setTimeout(resolve, after));
      child.kill(signal);
      const folder = dirname(started.scratch);
      await nothingLeft(started, folder);
      await eventually(() => !inFolder(folder), 'something that was just being started is still there');
    });
  }

  it('is complete after SIGKILL, what has left its group included', async () => {
    const started = await begin('apart');
    expect(started.pids.some(gone)).to.equal(false);
    child.kill('SIGKILL');
    await nothingLeft(started, dirname(started.scratch));
  });

  for (const how of ['exit', 'apart-exit', 'throw'] as const) {
    it(`is complete when we ${how}`, async () => {
      const started = await begin(how);
      await nothingLeft(started, dirname(started.scratch));
    });
  }
});
