import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Running, withFolder } from './process.js';

describe('qmpspec run, parts of a run', function () {
  this.timeout(60000);

  it('remembers what failed, writes it down, expects it, and is green', async () => {
    await withFolder(async (folder) => {
      const targets = { bad: { target: 'reference', args: ['--fault', 'setup-lost'] }, good: { target: 'reference' } };
      writeFileSync(join(folder, 'qmpspec.config.json'), JSON.stringify({ targets }));
      const env = { XDG_STATE_HOME: join(folder, 'state') };
      const run = (...args: string[]) => new Running(['run', ...args], { cwd: folder, env }).end;

      const early = await run('--failed');
      expect(early.code).to.equal(2);
      expect(early.stderr).to.match(/^qmpspec: --failed: no earlier run in this folder is remembered /);

      const first = await run('-t', 'bad', 'MIG-SM-O04', 'QMP-NEG-08', '--write-expect', 'known.json');
      expect(first.code).to.equal(1);
      const { expectations } = JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8'));
      expect(expectations).to.have.length(1);
      expect(expectations[0]).to.include({ id: 'MIG-SM-O04', kind: 'known-failing' });

      const again = await run('-t', 'bad', '--failed', '--expect', 'known.json');
      expect(again.stdout).to.contain('1 requirement: 1 failed as expected');
      expect(again.code).to.equal(0);

      const done = await run('-t', 'bad', '--failed');
      expect(done.code).to.equal(4);
      expect(done.stderr).to.equal(
        'qmpspec: nothing is left to run: nothing of the selection failed in the last run\n',
      );

      const fixed = await run('-t', 'good', 'MIG-SM-O04', '--expect', 'known.json', '-q');
      expect(fixed.stdout).to.contain('MIG-SM-O04: conforms; entry 1 (known-failing');
      expect(fixed.code).to.equal(10);
    });
  });

  it('puts shards together, and refuses when one is missing', async () => {
    await withFolder(async (folder) => {
      const cli = (...args: string[]) => new Running(args, { cwd: folder }).end;
      for (const part of ['1', '2']) {
        const { code } = await cli('run', 'QMP-NEG-0*', '--shard', `${part}/2`, '-r', `json=${part}.ndjson`);
        expect(code).to.equal(0);
      }
      const whole = await cli('report', '2.ndjson', '1.ndjson');
      expect(whole.code).to.equal(0);
      const listed = (await cli('list', 'QMP-NEG-0*')).stdout.trim().split('\n').length;
      expect(whole.stdout).to.contain(`${listed} requirements: `);
      const alone = await cli('report', '1.ndjson');
      expect(alone).to.include({ code: 7, stdout: '' });
      expect(alone.stderr).to.match(/^qmpspec: 1\.ndjson is shard 1\/2, and the others are missing: /);
      expect((await cli('report', '1.ndjson', '--partial')).code).to.equal(0);
      expect((await cli('report', '1.ndjson', '1.ndjson')).code).to.equal(7);
    });
  });
});
