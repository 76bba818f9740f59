import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { whyUnreadable } from '../../targets/unreadable.js';

/** What is said of a file at this path. */
function why(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return whyUnreadable(error);
  }
}

describe('Why a file cannot be read', () => {
  it('is told in words, and not in the codes of a system', () => {
    expect(why(join(tmpdir(), 'qmpspec-absent'))).to.equal('there is no such file');
    expect(why(tmpdir())).to.equal('it is a folder, and a file is needed');
    expect(why(join(process.execPath, 'x'))).to.equal('what stands before its name is no folder');
  });

  it('is told as it was said where it is no fault of the file', () => {
    expect(whyUnreadable(new Error('one, two'))).to.equal('one, two');
    const rare = Object.assign(new Error("EIO: i/o error, open 'x'"), { code: 'EIO', syscall: 'open' });
    expect(whyUnreadable(rare)).to.equal('EIO: i/o error');
  });
});
