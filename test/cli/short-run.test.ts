import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';

const module = new URL('../../cli/short-run.js', import.meta.url).href;

describe('what V8 is told before a run', () => {
  it('is something that it knows', async function () {
    if (!module.startsWith('file:') || import.meta.url.endsWith('.ts')) {
      console.log('skipped: Node cannot load the sources by itself');
      this.skip();
    }
    for (const version of ['11.3.244.8-node.38', process.versions.v8]) {
      const program = `import(${JSON.stringify(module)}).then((it) => it.expectShortRun(${JSON.stringify(version)}))`;
      // Of a flag that it does not know V8 tells on standard error.
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', program]);
      expect(`${stdout}${stderr}`).to.equal('');
    }
  });
});
