import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { whyUnreadable, whyUnwritable } from '../../targets/file-errors.js';

/** What is said of a file at this path. */
function why(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return whyUnreadable(error);
  }
}

describe('Why a file cannot be read or written', () => {
  it('is told in words, and not in the codes of a system', () => {
    expect(why(join(tmpdir(), 'qmpspec-absent'))).to.equal('there is no such file');
    expect(why(tmpdir())).to.equal('it is a folder, and a file is needed');
    expect(why(join(process.execPath, 'x'))).to.equal('what stands before its name is no folder');
  });

  it('is told of one that is to be written, too', () => {
    const fault = (code: string) =>
      Object.assign(new Error(`${code}: as the system says it, open`), { code, syscall: 'open' });
    expect(whyUnwritable(fault('ENOENT'))).to.equal('there is no such folder');
    expect(whyUnwritable(fault('EISDIR'))).to.equal('it is a folder, and a file is needed');
    expect(whyUnwritable(fault('ENOSPC'))).to.equal('the disk is full');
    expect(whyUnwritable(fault('EIO'))).to.equal('EIO: as the system says it');
  });

  it('is told as it was said where it is no fault of the file', () => {
    expect(whyUnreadable(new Error('one, two'))).to.equal('one, two');
    const rare = Object.assign(new Error("EIO: i/o error, open 'x'"), { code: 'EIO', syscall: 'open' });
    expect(whyUnreadable(rare)).to.equal('EIO: i/o error');
  });
});
