import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pc from 'picocolors';
import { main } from '../../cli/program.js';
import { recording, recordings, sha256, vector } from '../reference/stream/recordings.js';
import { refusal, run, runOn } from './stream-command.js';

/** Waits for what another task does to the file system. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('qmpspec stream', () => {
  let folder = '';
  /** Puts a recording, changed by `patch`, into a file. */
  const file = (name: string, patch: (bytes: Buffer) => Buffer = (bytes) => bytes): string => {
    const path = join(folder, name);
    writeFileSync(path, patch(vector(name)));
    return path;
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-stream-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('dumps a precopy as text', async () => {
    const path = file('3.0.50-none-xbzrle.bin');
    const { out, exitCode } = await run('dump', path);
    expect(exitCode).to.equal(0);
    expect(out).to.equal(
      [
        `${path}: 293467 bytes, dialect 3.0 (by the vmdescription)`,
        'machine none',
        '',
        'RAM block                      bytes     zero     page   xbzrle compressed discarded',
        '  ram                        1048576      226       70       41          0         0',
        '',
        'section                   id  version  START  PART   END  FULL         bytes',
        '  ram                      3        4      1    27     1     0        292736',
        '  timer                    0        2      0     0     0     1            48',
        '  globalstate              5        1      0     0     0     1           134',
        '',
        'vmdescription: 526 bytes',
        '',
      ].join('\n'),
    );
  });

  it('dumps postcopy, return path and data channels as JSON', async () => {
    const postcopy = await run(
      'dump',
      file('7.2-none-postcopy.bin'),
      '--json',
      '--return-path',
      file('7.2-none-postcopy.rp.bin'),
    );
    const value = JSON.parse(postcopy.out);
    expect(value.blocks[0]).to.include({ name: 'ram', zero: 191, page: 73, discarded: 122 });
    expect(value.commandCounts).to.include({ PING: 4, POSTCOPY_RAM_DISCARD: 1, POSTCOPY_RUN: 1 });
    expect(value.returnPath.messages.at(-1)).to.deep.equal({ type: 'SHUT', value: 0 });
    expect(value.error).to.equal(null);
    const channels = ['7.2-none-multifd-zlib.ch0.bin', '7.2-none-multifd-zlib.ch1.bin'].flatMap((name) => [
      '--channel',
      file(name),
    ]);
    const multifd = await run(
      'dump',
      file('7.2-none-multifd-zlib.bin'),
      '--json',
      '--compression',
      'zlib',
      ...channels,
    );
    const { channels: shown } = JSON.parse(multifd.out) as { channels: { pages: number; syncs: number }[] };
    expect(shown.map(({ syncs }) => syncs)).to.deep.equal([3, 3]);
    expect(shown.reduce((sum, { pages }) => sum + pages, 0)).to.equal(256 - 90);
  });

  it('shows what came before the break, and where it is', async () => {
    const path = file('7.2-none-plain.bin', (bytes) => bytes.subarray(0, 9000));
    const { out, exitCode } = await run('dump', path);
    expect(exitCode).to.equal(1);
    expect(out).to.match(/machine none, not complete/);
    expect(out).to.match(/\nbroken {2}offset 0x[0-9a-f]+: ram: page data: expected more bytes, got end of stream/);
  });

  it('says of every whole recording that it conforms', async () => {
    for (const entry of recordings) {
      if (entry.type !== 'main' || entry.cut === true) continue;
      const options = entry.footers === false ? ['--no-footers'] : [];
      if (entry.resume_of !== undefined) options.push('--after', file(entry.resume_of));
      const { out, exitCode } = await run('check', file(entry.file), '--dialect', entry.dialect!, ...options);
      if (entry.file.includes('no-vmdesc')) expect(out).to.match(/^note: no vmdescription behind EOF/);
      const note = entry.file.includes('no-vmdesc') ? /^note: .*\n(?=.)/ : /^$/;
      expect([exitCode, out.replace(note, '')], entry.file).to.deep.equal([0, out.replace(/^.*\n(?=.)/s, '')]);
    }
  });

  it('finds out the dialect, the footers and the layout of channels by itself, and takes the RAM out', async () => {
    for (const entry of recordings) {
      if (entry.type !== 'main' || entry.cut === true || entry.resume_of !== undefined) continue;
      const channels = (entry.channels ?? []).flatMap((name) => ['--channel', file(name)]);
      const image = join(folder, 'image');
      const { err, exitCode } = await run('extract', file(entry.file), ...channels, '-o', image);
      expect([entry.file, exitCode], err).to.deep.equal([entry.file, 0]);
      if (entry.ram?.ram !== undefined) expect(sha256(readFileSync(image)), entry.file).to.equal(entry.ram.ram);
      const { out } = await run('dump', file(entry.file), ...channels, '--json');
      const { dialect, error } = JSON.parse(out) as { dialect: string; error: unknown };
      expect([entry.file, dialect, error]).to.deep.equal([entry.file, entry.dialect, null]);
    }
  });

  it('reads on behind what only a later release knows', async () => {
    const path = file('7.2-none-uuid.bin', (bytes) => {
      const name = Buffer.from('configuration/later');
      const at = bytes.indexOf('configuration/uuid') - 2;
      const subsection = [Buffer.from([5, name.length]), name, Buffer.from([0, 0, 0, 1, 9, 9, 9])];
      const ram = bytes.indexOf('\u0001\0\0\0\u0002\u0003ram', 'latin1');
      const command = Buffer.from([8, 0, 14, 0, 2, 7, 7]);
      return Buffer.concat([
        bytes.subarray(0, at),
        ...subsection,
        bytes.subarray(at, ram),
        command,
        bytes.subarray(ram),
      ]);
    });
    const { out, exitCode } = await run('dump', path);
    expect(exitCode).to.equal(0);
    expect(out).to.match(/configuration\/later: unknown subsection of the configuration, 3 bytes/);
    expect(out).to.match(/command 0xe of 2 bytes is unknown and was skipped/);
  });

  it('ends with the code that the command set', async () => {
    const path = file('7.2-none-plain.bin', (bytes) => bytes.subarray(0, 9000));
    const quiet = { write: () => undefined, isTTY: false, columns: () => 80, colors: pc.createColors(false) };
    const code = await main(['stream', 'dump', path], { out: quiet, err: quiet, exitCode: 0 });
    expect(code).to.equal(1);
  });

  it('finds violations with their offset', async () => {
    const path = file('7.2-none-zero.bin', (bytes) => {
      // The fill byte of the first ZERO record, behind the START section.
      bytes[17 + 17 + 20 + 8 + 5 + 5 + 12] = 9;
      return Buffer.concat([bytes, Buffer.from('tail')]);
    });
    const { out, exitCode } = await run('check', path);
    expect(exitCode).to.equal(1);
    expect(out).to.match(/^0x00000048 {2}stream-format §5 +ZERO record with fill byte 9\n/);
    expect(out).to.match(/4 bytes behind the end of the stream/);
    expect(out).to.match(/: 2 violations \(/);
  });

  it('checks data channels and the return path beside the stream', async () => {
    for (const entry of recordings) {
      if (entry.type !== 'main' || entry.cut === true || entry.channels === undefined) continue;
      const channels = entry.channels.flatMap((name) => ['--channel', file(name)]);
      const method = /zlib|zstd/.exec(entry.file)?.[0];
      const options = [...(method === undefined ? [] : ['--compression', method])];
      if (entry.file.includes('4pages')) options.push('--pages-per-packet', '4');
      const { out, exitCode } = await run(
        'check',
        file(entry.file),
        '--dialect',
        entry.dialect!,
        ...options,
        ...channels,
      );
      expect([exitCode, out], entry.file).to.deep.equal([0, out.replace(/^.*\n(?=.)/s, '')]);
    }
    const main = file('7.2-none-multifd.bin');
    const cut = file('7.2-none-multifd.ch1.bin', (bytes) => bytes.subarray(0, bytes.length - 1344));
    const again = file('7.2-none-multifd.ch0.bin');
    const answers = file('7.2-none-return-path.rp.bin', (bytes) => Buffer.concat([Buffer.from([0, 99, 0, 0]), bytes]));
    const { out, exitCode } = await run(
      ...['check', main, '--channel', cut, '--channel', again, '--channel', again, '--return-path', answers],
    );
    expect(exitCode).to.equal(1);
    expect(out).to.match(/multifd §4 .*ch1.bin: 2 SYNC packets for 3 sync records of the main channel/);
    expect(out).to.match(/multifd §1 .*ch0.bin: channel id 0 is that of .*ch0.bin too/);
    expect(out).to.match(/stream-format §8 .*rp.bin: /);
  });

  it('extracts the RAM that the source had, with deltas, compressed pages, discards and channels', async () => {
    const out = join(folder, 'ram.img');
    for (const name of ['3.0.50-none-xbzrle.bin', '7.2-none-compress.bin', '7.2-none-postcopy.bin']) {
      expect((await run('extract', file(name), '--out', out)).exitCode).to.equal(0);
      expect(sha256(readFileSync(out)), name).to.equal(recording(name).ram!.ram);
    }
    const second = recording('3.0.50-none-postcopy-recover-2.bin');
    // The dialect shows in the number of the first command.
    const after = ['--after', file(second.resume_of!)];
    expect((await run('extract', file(second.file), ...after, '-o', out)).exitCode).to.equal(0);
    expect(sha256(readFileSync(out))).to.equal(second.ram!.ram);
    const multifd = recording('3.0.50-none-multifd-3ch-4pages.bin');
    const channels = multifd.channels!.flatMap((name) => ['--channel', file(name)]);
    await run('extract', file(multifd.file), '--dialect', '3.0', '--pages-per-packet', '4', ...channels, '-o', out);
    expect(sha256(readFileSync(out))).to.equal(multifd.ram!.ram);
    const pc = recording('3.0.50-pc.bin');
    await run('extract', file(pc.file), '--block', 'pc.bios', '-o', out);
    expect(sha256(readFileSync(out))).to.equal(pc.ram!['pc.bios']);
  });

  it('takes a migration on a socket, and makes one to a destination that waits', async () => {
    const image = join(folder, 'socket.img');
    const out = join(folder, 'socket-again.img');
    const bytes = Buffer.alloc(2 * 1024 * 1024, 'socket');
    writeFileSync(image, bytes);
    const path = join(folder, 'stream.sock');
    const extracted = run('extract', `unix:${path}`, '--out', out);
    await until(() => existsSync(path));
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    await run('make', image, '--out', `unix:${path}`);
    expect((await extracted).exitCode).to.equal(0);
    expect((await extracted).err).to.match(/^waiting for a migration to unix:/);
    expect(readFileSync(out).equals(bytes)).to.equal(true);
    expect(existsSync(path), 'the socket stays behind').to.equal(false);
  });

  it('shows on a terminal how far it is, and takes that away again', async () => {
    const { err } = await runOn(true, 'dump', file('7.2-none-plain.bin'));
    expect(err).to.match(/reading .* % of \d+ MiB/);
    expect(err.endsWith('\u001b[1G\u001b[2K'), JSON.stringify(err.slice(-40))).to.equal(true);
    expect((await run('dump', file('7.2-none-plain.bin'))).err).to.equal('');
  });

  it('explains what it cannot do', async () => {
    const image = join(folder, 'made.img');
    writeFileSync(image, Buffer.alloc(10_000, 'made'));
    await run('make', image, '-o', join(folder, 'made.bin'));
    const cases: [string[], RegExp][] = [
      [['dump', join(folder, 'missing')], /missing: there is no such file$/],
      [['dump', folder], /is a folder/],
      [['check', '/dev/null'], /is empty/],
      [['dump', 'tcp:1.2.3.4:5'], /can be reached from other hosts/],
      [['dump', 'unix:'], /lacks the path/],
      [['make', image, '-o', `unix:${join(folder, 'nobody')}`], /there is no such socket/],
      [['dump', file('7.2-none-postcopy-recover-2.bin')], /recovery connection.*--after/],
      [['make', image, '-o', join(folder, 'x'), '--size', '4096'], /--size 4096 must be a multiple/],
      [['make', image, '-o', join(folder, 'x'), '--state', 'bogus'], /'bogus' is no run state/],
      [['make', image, '-o', join(folder, 'no', 'x')], /no.x cannot be written: there is no such folder$/],
      [['make', image, '-o', join(folder, 'x'), '--dialect', '10.0', '--compress', '1'], /no compressed pages/],
      [['extract', file('7.2-none-zero.bin'), '-o', join(folder, 'x'), '--block', 'vga'], /no RAM block 'vga'/],
      [
        ['extract', file('7.2-none-zero.bin'), '-o', join(folder, 'no', 'x')],
        /no.x cannot be written: there is no such folder$/,
      ],
      [['extract', join(folder, 'made.bin'), '-o', '/dev/full'], /\/dev\/full cannot be written: the disk is full$/],
    ];
    for (const [args, expected] of cases) {
      expect(await refusal(...args)).to.match(expected);
    }
  });
});
