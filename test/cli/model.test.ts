import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { dialectNames } from '../../reference/dialects/dialect.js';

const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

describe('qmpspec model --check', () => {
  it('finds every dialect sound, and no row that none of them takes', async () => {
    // Rejects for any other exit status than 0.
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'model', '--check']);
    for (const name of dialectNames) expect(stdout).to.match(new RegExp(`^dialect ${name}: .*: sound$`, 'm'));
    expect(stdout).not.to.include('never taken');
  }).timeout(240_000);
});
