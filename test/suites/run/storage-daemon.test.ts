import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { RequirementEnded, RunEvent } from '../../../oracle/run-events.js';
import { programOf } from '../../targets/real-qemu.js';

describe('qemu-storage-daemon, a monitor without a guest and without migration', () => {
  it('lacks the commands of migration, and is else a QMP monitor', async function () {
    this.timeout(120_000);
    const daemon = programOf(this, 'qemu-storage-daemon');
    const template = `command:${daemon} --chardev socket,id=m,path={qmp-path},server=on,wait=off --monitor chardev=m`;
    const words = [
      resolve('dist/cli/main.js'),
      'run',
      '--target',
      template,
      '--report',
      'json=-',
      'QMP-*',
      'MIG-CMD-*',
    ];
    const run = promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 26 });
    // Its one failure makes the exit code 1.
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const ended = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RunEvent)
      .filter((event): event is RequirementEnded => event.event === 'requirement');
    const of = (...kinds: string[]) => ended.filter(({ verdict }) => kinds.includes(verdict.kind)).map(({ id }) => id);
    const others = ended.filter(({ verdict }) => !['conforms', 'not-applicable'].includes(verdict.kind));
    expect(others.map(({ id, verdict }) => `${id} ${verdict.kind}`)).to.deep.equal(['QMP-BASE-21 divergence']);
    // What it says of itself is looked at, as is all that needs none of the commands that it lacks.
    expect(of('conforms')).to.include.members(['QMP-NEG-01', 'QMP-BASE-05', 'QMP-TRANS-07', 'QMP-REPLY-04']);
    const reason = ended.find(({ id }) => id === 'QMP-BASE-02')?.verdict.reason;
    expect(reason).to.equal('no command query-name');
  });
});
