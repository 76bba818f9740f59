/** The programs of `bench/` end as the program itself does: mistakes in one line, interruptions with nothing left. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { median, processorTime } from '../../bench/figures.js';

const script = (name: string): string => fileURLToPath(new URL(`../../../dist/bench/${name}.js`, import.meta.url));

/** Processes that were started with this folder for their files. */
const startedIn = (folder: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${folder}\0`);
    } catch {
      return false;
    }
  });

async function until(what: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !what(); ) {
    if (performance.now() > end) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('programs that measure', () => {
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const mistakes: readonly (readonly [code: number, says: RegExp, name: string, ...args: string[]])[] = [
    [2, /must be a whole number/, 'soak', '--runs', 'x'],
    [2, /give --races, too/, 'soak', '--only', 'plain/'],
    [2, /numbered from 1/, 'soak', '--races', '--seed', '0'],
    [4, /race schedules with 'nothing'/, 'soak', '--target', 'reference', '--races', '--only', 'nothing'],
    [2, /must be a whole number/, 'mutate', '-5'],
    [2, /too many arguments/, 'proxy-cost', 'reference', 'more'],
    [2, /unix:\/nowhere cannot be measured/, 'proxy-cost', 'unix:/nowhere'],
    [2, /unix:\/nowhere cannot be measured/, 'fuzz', '--target', 'unix:/nowhere'],
    [2, /unknown option/, 'oracle', '--nothing'],
    [2, /Allowed choices/, 'simulate', '--only', 'nothing'],
    [2, /'nothing' is no part/, 'stream', 'nothing'],
  ];
  for (const [code, says, name, ...args] of mistakes) {
    it(`tell what is wrong: ${name} ${args.join(' ')}`, () => {
      const { status, stderr } = spawnSync(process.execPath, [script(name), ...args], { encoding: 'utf8' });
      expect(stderr)
        .to.match(says)
        .and.not.match(/^\s+at /m);
      expect(status).to.equal(code);
    }).timeout(20_000);
  }

  const start = (name: string, ...args: string[]): ChildProcess => {
    const env = { ...process.env, TMPDIR: folder };
    child = spawn(process.execPath, [script(name), ...args], {
      env,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return child;
  };

  it('soak: Ctrl-C ends it with what was counted', async () => {
    const soak = start('soak', '--target', 'reference', '--runs', '100000', '--jobs', '1');
    let told = '';
    soak.stdout?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    await until(() => startedIn(folder).length > 2);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    soak.kill('SIGINT');
    const [code] = await once(soak, 'close');
    expect(told).to.match(/observations judged/);
    expect(code).to.equal(130);
    await until(() => startedIn(folder).length === 0 && readdirSync(folder).length === 0);
  }).timeout(60_000);

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`bench:proxy: the proxy goes with it, ${signal}`, async () => {
      const bench = start('proxy-cost', 'reference');
      const proxies = () =>
        startedIn(folder).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('\0proxy\0'));
      await until(() => proxies().length > 0);
      bench.kill(signal);
      await once(bench, 'close');
      await until(() => startedIn(folder).length === 0 && readdirSync(folder).length === 0);
    }).timeout(60_000);
  }

  it('take the middle of figures, and know what a process has used', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
    expect(processorTime(process.pid)).to.be.within(10, 1e9);
    expect(processorTime(2 ** 30)).to.equal(undefined);
  });
});
