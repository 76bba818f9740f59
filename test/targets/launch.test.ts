/** Starting a process, by the C library and by Node: whoever started it cannot tell which it was. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { descriptorPassing } from '../../protocol/descriptor-passing.js';
import { nativeCalls } from '../../protocol/native.js';
import { forkServerSource } from '../../targets/fork-server/server-code.js';
import { type Launch, type Launched, type LaunchOptions, launchByNode, nativeLaunch } from '../../targets/launch.js';
import { bindSpawn } from '../../targets/posix-spawn.js';

/** Whether a process is a copy of one that waits behind its loading. */
const isCopy = (pid: number): boolean => readFileSync(`/proc/${pid}/maps`, 'utf8').includes('fork-server.so');

/** Starts processes that read a line, until one is a copy; without, there are none to be had. */
async function untilCopied(launch: Launch, options: LaunchOptions): Promise<void> {
  for (let tries = 0; ; tries++) {
    if (tries === 100) expect.fail('no start was a copy');
    const one = await launch('/bin/sh', ['-c', 'echo up; read -r line'], { ...options, stdio: true });
    await once(one.stdio?.output as Readable, 'data');
    const copied = isCopy(one.pid);
    one.kill('SIGKILL');
    await one.exited;
    one.release();
    if (copied) return;
  }
}

const copying: Launch = (command, args, options) => copies(command, args, { ...options, often: true });
let copies: Launch;

const ways: {
  readonly name: string;
  readonly get: () => Promise<Launch | undefined>;
  /** What must be before the first of the processes that are looked at. */
  readonly before?: (launch: Launch, options: LaunchOptions) => Promise<void>;
}[] = [
  { name: 'Node', get: async () => launchByNode },
  {
    name: 'the C library',
    get: async () => {
      const calls = bindSpawn(await nativeCalls());
      return calls === undefined ? undefined : nativeLaunch(calls);
    },
  },
  {
    name: 'a copy of itself',
    get: async () => {
      const calls = bindSpawn(await nativeCalls(), await descriptorPassing());
      if (calls === undefined || process.arch !== 'x64') return undefined;
      copies = nativeLaunch(calls);
      return copying;
    },
    before: untilCopied,
  },
];

async function all(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text += piece;
  return text;
}

const env = { ...process.env, WORD: 'a b', NOTHING: undefined };

for (const { name, get, before: prepare } of ways) {
  describe(`a process started by ${name}`, () => {
    let launch: Launch;
    let folder: string;
    const begun: Launched[] = [];
    before(async function () {
      const way = await get();
      if (way === undefined) {
        console.log('      skipped: koffi is not installed, or has nothing for this system');
        return this.skip();
      }
      launch = way;
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'qmpspec-test-')));
      await prepare?.(launch, { cwd: folder, env, stdio: true });
    });
    afterEach(() => {
      for (const one of begun.splice(0)) {
        one.kill('SIGKILL');
        one.release();
      }
    });
    after(() => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    const shell = async (script: string, stdio = false): Promise<Launched> => {
      const one = await launch('/bin/sh', ['-c', script, 'name', 'first arg', ''], { cwd: folder, env, stdio });
      begun.push(one);
      return one;
    };

    it('has our arguments, environment and folder, and a session of its own', async () => {
      const one = await shell(
        'echo "$# $1|$2|$WORD|$(printenv NOTHING || echo unset)|$(pwd)" >&2; ps -o sess=,pgid= -p $$ | tr -s " " >&2; echo $$ >&2',
      );
      const [words, ids, pid] = (await all(one.stderr)).split('\n');
      expect(words).to.equal(`2 first arg||a b|unset|${folder}`);
      expect(ids?.trim()).to.equal(`${one.pid} ${one.pid}`);
      expect(pid).to.equal(String(one.pid));
      expect(await one.closed).to.deep.equal({ code: 0, signal: null });
    });

    it('tells its exit status, and the signal that ended it', async () => {
      expect(await (await shell('exit 7')).exited).to.deep.equal({ code: 7, signal: null });
      expect(await (await shell('kill -ABRT $$')).exited).to.deep.equal({ code: null, signal: 'SIGABRT' });
      const one = await shell('sleep 60');
      one.kill('SIGTERM');
      expect(await one.exited).to.deep.equal({ code: null, signal: 'SIGTERM' });
      one.kill('SIGTERM');
    });

    it('begins with no signal ignored', async () => {
      const one = await shell('kill -PIPE $$; exit 3');
      expect(await one.exited).to.deep.equal({ code: null, signal: 'SIGPIPE' });
    });

    it('talks over its standard input and output where these are wanted', async () => {
      const one = await shell('while read -r line; do echo "got $line"; done; echo end', true);
      expect(one.stdio).not.to.equal(undefined);
      one.stdio?.input.write('a\n');
      one.stdio?.input.end('b\n');
      expect(await all(one.stdio?.output as Readable)).to.equal('got a\ngot b\nend\n');
      one.stderr.resume();
      expect(await one.closed).to.deep.equal({ code: 0, signal: null });
    });

    it('sees no end of an input that is not wanted, and may print as much as it likes', async () => {
      const one = await shell('head -c 1000000 /dev/zero && echo printed >&2; read -r line; exit 5');
      expect(one.stdio).to.equal(undefined);
      const heard = new Promise<string>((resolve) => one.stderr.setEncoding('utf8').once('data', resolve));
      expect(await heard).to.equal('printed\n');
      one.release();
      expect(await one.exited).to.deep.equal({ code: 5, signal: null });
    });

    it('gives all of its standard error before it counts as closed', async () => {
      const one = await shell('i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i + 1)); done; kill -KILL $$');
      let text = '';
      one.stderr.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      expect(await one.closed).to.deep.equal({ code: null, signal: 'SIGKILL' });
      expect(text.split('\n')).to.have.length(2001);
      expect(text.endsWith('line 1999\n')).to.equal(true);
    });

    it('inherits no descriptor of ours but its three', async () => {
      await shell('sleep 60');
      // What is to be closed is closed a moment after the program has been found, and before it does anything.
      const { pid, stdio } = await shell('exec cat', true);
      stdio?.input.write('up');
      await new Promise((resolve) => stdio?.output.once('data', resolve));
      // What we were given by whoever started us goes on to what we start.
      const handedOn = readdirSync('/proc/self/fd').filter((number) => {
        const at = `/proc/self/fdinfo/${number}`;
        const flags = existsSync(at) ? /^flags:\s+(\d+)/m.exec(readFileSync(at, 'utf8'))?.[1] : undefined;
        return Number(number) > 2 && flags !== undefined && (Number.parseInt(flags, 8) & 0o2000000) === 0;
      });
      expect(readdirSync(`/proc/${pid}/fd`)).to.have.members(['0', '1', '2', ...handedOn]);
    });

    it('fails with the code of the system when it cannot be started', async () => {
      const codeOf = (command: string, args: string[] = []) =>
        launch(command, args, { cwd: folder, env: process.env, stdio: false }).then(
          () => 'it started',
          (error: NodeJS.ErrnoException) => error.code,
        );
      expect(await codeOf(join(folder, 'absent'))).to.equal('ENOENT');
      expect(await codeOf(folder)).to.equal('EACCES');
      expect(await codeOf('/bin/sh', ['a\0b'])).to.equal('ERR_INVALID_ARG_VALUE');
    });

    it('is told of when many end at once', async () => {
      const many = await Promise.all(Array.from({ length: 20 }, (_, i) => shell(`exit ${i}`)));
      const codes = await Promise.all(many.map(async ({ exited }) => (await exited).code));
      expect(codes).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
    });
  });
}

describe('starting without the C library', () => {
  it('is left to Node', () => {
    expect(bindSpawn(undefined)).to.equal(undefined);
    expect(nativeLaunch(undefined)).to.equal(launchByNode);
  });
});

describe('copies of a program that is loaded once', () => {
  let launch: Launch;
  let folder: string;
  before(async function () {
    const calls = bindSpawn(await nativeCalls(), await descriptorPassing());
    if (calls === undefined || process.arch !== 'x64') {
      console.log('      skipped: koffi is not installed, or it is another machine');
      return this.skip();
    }
    const native = nativeLaunch(calls);
    launch = (command, args, options) => native(command, args, { ...options, often: true });
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'qmpspec-test-')));
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const run = async (script: string, options: Partial<LaunchOptions> = {}, args: readonly string[] = []) => {
    // It stays until it has been looked at.
    const words = ['-c', `${script}; echo . >&2; read -r line`, 'name', ...args];
    const one = await launch('/bin/sh', words, { cwd: folder, env, stdio: false, ...options });
    let text = '';
    for await (const piece of one.stderr.setEncoding('utf8')) {
      text += piece;
      if (text.endsWith('.\n')) break;
    }
    const copied = isCopy(one.pid);
    one.kill('SIGKILL');
    one.release();
    return { copied, text: text.slice(0, -2) };
  };

  it('look like any other from inside and from outside', async () => {
    await untilCopied(launch, { cwd: folder, env, stdio: true });
    const script = 'echo "[$LD_PRELOAD]"; printenv LD_PRELOAD; tr "\\0" "|" < /proc/$$/cmdline';
    const { copied, text } = await run(`{ ${script}; } >&2`, {}, ['last']);
    expect(copied).to.equal(true);
    expect(text.replace(/\|+$/, '')).to.match(/^\[\]\n\/bin\/sh\|-c\|.*\|name\|last$/s);
  });

  it('are made by what was compiled of the present source', () => {
    const source = readFileSync('targets/fork-server/server.c');
    expect(createHash('sha256').update(source).digest('hex')).to.equal(forkServerSource);
  });

  it('are made for each environment', async () => {
    await untilCopied(launch, { cwd: folder, env: { ...env, WORD: 'other' }, stdio: true });
    const { copied, text } = await run('echo $WORD >&2', { env: { ...env, WORD: 'other' } });
    expect({ copied, text }).to.deep.equal({ copied: true, text: 'other\n' });
  });

  it('are not made where the arguments have no room, nor where something else is preloaded, nor of scripts', async () => {
    const long = 'x'.repeat(20000);
    const { copied, text } = await run('echo $#-$1 >&2', {}, [long]);
    expect({ copied, text }).to.deep.equal({ copied: false, text: `1-${long}\n` });
    const many = Array.from({ length: 200 }, (_, i) => String(i));
    expect(await run('echo $# >&2', {}, many)).to.deep.equal({ copied: false, text: '200\n' });
    const script = join(folder, 'script');
    writeFileSync(script, '#!/bin/sh\necho "$0 $1" >&2\n', { mode: 0o700 });
    for (let i = 0; i < 5; i++) {
      expect((await run('echo $LD_PRELOAD >&2', { env: { ...env, LD_PRELOAD: '' } })).text).to.equal('\n');
      const one = await launch(script, ['first'], { cwd: folder, env, stdio: false });
      expect(await all(one.stderr)).to.equal(`${script} first\n`);
      one.release();
    }
  });

  it('are started in the ordinary way again when what they are copied from is gone', async () => {
    const own = { ...env, WORD: 'gone' };
    await untilCopied(launch, { cwd: folder, env: own, stdio: true });
    const waits = readdirSync('/proc').filter((name) => {
      const [told, said] = ['environ', 'cmdline'].map((file) => readText(`/proc/${name}/${file}`));
      return told?.includes('WORD=gone') && told.includes('fork-server.so') && said?.includes('--version');
    });
    expect(waits).to.have.length(1);
    process.kill(Number(waits[0]), 'SIGKILL');
    for (let i = 0; i < 3; i++) expect((await run('echo well >&2', { env: own })).text).to.equal('well\n');
    expect((await run(':', { env: own })).copied).to.equal(false);
  });
});

describe('a process that is to be copied and hangs', () => {
  const servers = (word: string) =>
    readdirSync('/proc').filter((name) => {
      const [told, said] = ['environ', 'cmdline'].map((file) => readText(`/proc/${name}/${file}`));
      return told?.includes(`WORD=${word}`) && told.includes('fork-server.so') && said?.includes('--version');
    });

  it('is ended, and what was to be its copy is started in the ordinary way, which is told once', async function () {
    const calls = bindSpawn(await nativeCalls(), await descriptorPassing(), 50);
    if (calls === undefined || process.arch !== 'x64') {
      console.log('      skipped: koffi is not installed, or it is another machine');
      return this.skip();
    }
    const native = nativeLaunch(calls);
    const launch: Launch = (command, args, options) => native(command, args, { ...options, often: true });
    const options = { cwd: tmpdir(), env: { ...env, WORD: 'hangs' }, stdio: true };
    await untilCopied(launch, options);
    const [server, ...more] = servers('hangs').map(Number);
    if (server === undefined || more.length > 0) expect.fail('there is not one process to be copied');
    process.kill(server, 'SIGSTOP');
    const late: (boolean | undefined)[] = [];
    // Two at once: the second waits for its turn.
    const shells = Array.from({ length: 2 }, () => launch('/bin/sh', ['-c', 'echo up; read -r line'], options));
    for (const one of await Promise.all(shells)) {
      expect(String((await once(one.stdio?.output as Readable, 'data'))[0])).to.equal('up\n');
      expect(isCopy(one.pid)).to.equal(false);
      late.push(one.copiedLate);
      one.kill('SIGKILL');
      await one.exited;
      one.release();
    }
    expect(late).to.deep.equal([true, false]);
    expect(servers('hangs')).to.deep.equal([]);
  });
});

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
