import { expect } from 'chai';
import { Transcript } from '../../protocol/transcript.js';
import { guestEnds } from '../../suites/guest-ends.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { ExitStatus } from '../../targets/target.js';

const running = undefined;
const told = (
  machine: string,
  exit: ExitStatus | undefined,
  { stderr = '', event = {} }: { stderr?: string; event?: object },
) => {
  const transcript = new Transcript();
  transcript.add('source', 'received', JSON.stringify(event));
  return guestEnds({ transcript, facts: { machine } as TargetFacts, instances: [{ exit, stderr }] });
};

describe('a machine whose guest brings it to its end', () => {
  const [aborted, ended, failed] = [
    { code: null, signal: 'SIGABRT' as const },
    { code: 0, signal: null },
    { code: 1, signal: null },
  ];
  const stderr = 'qemu: fatal: DOUBLE MMU FAULT\nD0 = 00000000\n';
  const [panicked, off] = [
    { event: 'GUEST_PANICKED', data: { action: 'run' } },
    { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } },
  ];

  it('is told by the last words of an emulator that could not go on', () => {
    expect(told('virt-machine', aborted, { stderr })).to.equal(
      'the guest of a virt-machine brought it to a stop: DOUBLE MMU FAULT',
    );
    expect(told('pc-machine', running, { stderr: 'KVM internal error. Suberror: 1\nEAX=00000000\n' })).to.equal(
      'the guest of a pc-machine brought it to a stop: KVM internal error. Suberror: 1',
    );
    expect(told('virt-machine', aborted, { stderr: 'some assertion' })).to.equal(undefined);
  });

  it('is told by the events that come before an end in order', () => {
    for (const event of [panicked, off]) {
      expect(told('pc-machine', ended, { event })).to.equal('the guest of a pc-machine ended it');
      expect(told('pc-machine', failed, { event })).to.equal(undefined);
    }
    expect(told('pc-machine', ended, {})).to.equal(undefined);
    expect(told('pc-machine', ended, { event: { event: 'SHUTDOWN', data: { guest: false } } })).to.equal(undefined);
  });

  it('is no machine of ours, which has no guest', () => {
    expect(told('none-machine', aborted, { stderr })).to.equal(undefined);
    expect(told('none-machine', ended, { event: off })).to.equal(undefined);
  });
});
