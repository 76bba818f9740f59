import { execFile } from 'node:child_process';
import { cpSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { withFolder } from './process.js';

const built = fileURLToPath(new URL('../../cli/', import.meta.url));
const run = promisify(execFile);

describe('the one file that the program starts from', function () {
  this.timeout(60000);

  before(function () {
    if (import.meta.url.endsWith('.js')) return;
    console.log('skipped: there is none beside the sources');
    this.skip();
  });

  it('comes with what this V8 has made of it', async () => {
    // In a process of its own: in this one other tests may have changed V8's flags.
    const look = `const { readFileSync } = require('node:fs');
      const cachedData = readFileSync('bundle.cache');
      const { cachedDataRejected } = new (require('node:vm').Script)(readFileSync('bundle.cjs', 'latin1'), { cachedData });
      console.log(cachedDataRejected ? 'rejected' : 'taken');`;
    const { stdout } = await run(process.execPath, ['-e', look], { cwd: built });
    expect(stdout).to.equal('taken\n');
  });

  it('says the same where that is missing, does not fit, or is cut off', async () => {
    await withFolder(async (folder) => {
      for (const name of ['main.js', 'bundle.cjs', 'bundle.cache'])
        cpSync(join(built, name), join(folder, 'cli', name));
      writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "9.8.7" }');
      const cache = join(folder, 'cli', 'bundle.cache');
      const said = async (...flags: string[]): Promise<string> => {
        const program = [...flags, join(folder, 'cli', 'main.js')];
        const { stdout } = await run(process.execPath, [...program, 'list', 'QMP-NEG-*']);
        const version = await run(process.execPath, [...program, '--version']);
        expect(version.stdout).to.equal('9.8.7\n');
        return stdout;
      };
      const usual = await said();
      expect(usual).to.contain('QMP-NEG-01');
      // What V8 made under other flags it refuses.
      expect(await said('--no-opt'), 'other flags').to.equal(usual);
      truncateSync(cache, 1000);
      expect(await said(), 'cut off').to.equal(usual);
      rmSync(cache);
      expect(await said(), 'missing').to.equal(usual);
    });
  });

  it('gives way to the modules where their coverage is wanted', async () => {
    await withFolder(async (folder) => {
      const main = join(built, 'main.js');
      await run(process.execPath, [main, '--version'], { env: { ...process.env, NODE_V8_COVERAGE: folder } });
      const { stdout } = await run('grep', ['-rl', 'cli/program.js', folder]);
      expect(stdout).to.contain('coverage-');
    });
  });
});
