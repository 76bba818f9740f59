/** Machines other than the one that streams of ours are of. */
import { expect } from 'chai';
import { conduct } from '../../suites/conduct.js';
import { chapters } from '../../suites/index.js';
import { select } from '../../suites/schedule.js';
import { qemuTarget } from '../../targets/executable.js';
import { factsOf, type TargetFacts } from '../../targets/facts.js';
import { isOfGuest, otherMemory, ourMachine } from '../../targets/machine.js';
import { InstancePool } from '../../targets/pool.js';
import type { Target } from '../../targets/target.js';
import { realQemu } from './real-qemu.js';
import { monitor } from './tiny-monitor.js';

async function machineOf(target: Target): Promise<string | undefined> {
  try {
    return (await factsOf(target)).machine;
  } finally {
    await target.close();
  }
}

describe('the machine of a target', () => {
  it('is the one whose memory is known, where it is ours', () => {
    const of = (machine?: string) => otherMemory((machine === undefined ? {} : { machine }) as TargetFacts);
    expect(of()).to.equal(undefined);
    expect(of(ourMachine)).to.equal(undefined);
    expect(of('virt-machine')).to.match(/^it is started as a virt-machine: where its RAM lies/);
  });

  it('may have a guest that starts anew by itself, which ours has not', () => {
    const facts = (machine: string) => ({ machine }) as TargetFacts;
    const reset = (guest: boolean) => ({ guest, reason: guest ? 'guest-reset' : 'host-qmp-system-reset' });
    expect(isOfGuest('RESET', reset(true), facts('pc-q35-6.2-machine'))).to.equal(true);
    expect(isOfGuest('RESET', reset(false), facts('pc-q35-6.2-machine'))).to.equal(false);
    expect(isOfGuest('STOP', undefined, facts('pc-q35-6.2-machine'))).to.equal(false);
    expect(isOfGuest('RESET', reset(true), facts(ourMachine))).to.equal(false);
  });

  it('is what the target tells, or not known', async () => {
    const answers = (listed: string) =>
      monitor(`execute === "query-commands" ? { return: [{ name: "${listed}" }] }
        : execute === "qom-get" ? { return: "some-machine" } : { return: {} }`);
    expect(await machineOf(answers('qom-get'))).to.equal('some-machine');
    expect(await machineOf(answers('query-name'))).to.equal(undefined);
  });

  it('decides whether a stream of ours is sent, or one of its own is looked at', async function () {
    const target = qemuTarget('pc', realQemu(this), { args: ['-M', 'pc'] });
    const pool = new InstancePool(target, 1);
    try {
      const facts = await factsOf(target);
      expect(facts.machine).to.match(/^pc-.*-machine$/);
      for (const id of ['MIG-STR-HDR-02', 'MIG-SM-I21', 'MIG-STR-HDR-01']) {
        const [one] = select(chapters, [id]);
        if (one === undefined) throw new Error(`there is no ${id}`);
        const { verdict } = await conduct(one.requirement, { facts, pool, strictDesc: false, seed: 0 });
        expect(verdict.kind, id).to.equal('not-applicable');
        expect(verdict.reason).to.match(
          /^it is started as a pc-.*-machine, streams of ours are those of a none-machine$/,
        );
      }
    } finally {
      await pool.close();
      await target.close();
    }
  });
});
