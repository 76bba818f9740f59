import { expect } from 'chai';
import { Transcript } from '../../protocol/transcript.js';
import { migrationBlocked } from '../../suites/blocked.js';
import { factsOf, type TargetFacts } from '../../targets/facts.js';
import { monitor } from '../targets/tiny-monitor.js';

const told = (facts: Partial<TargetFacts>, ...replies: readonly object[]) => {
  const transcript = new Transcript();
  for (const reply of replies) transcript.add('source', 'received', JSON.stringify(reply));
  return migrationBlocked({ transcript, facts: facts as TargetFacts });
};
const refused = (desc: string) => ({ error: { class: 'GenericError', desc } });

describe('a machine that cannot be migrated', () => {
  const blocked = ["Migration is disabled when using feature 'peer mode' in device 'ivshmem'"];
  const [reason = ''] = blocked;

  const machine = 'pc-machine';

  it('is told by what it gives as its reason, where it refuses or shows that, unless it is our machine', () => {
    const why = `its migration is blocked: ${reason}`;
    const refusal = refused(`disallowing migration blocker: ${reason}`);
    const shown = { return: { 'blocked-reasons': blocked } };
    expect(told({ machine, blocked }, { return: {} }, refusal)).to.equal(why);
    expect(told({ machine, blocked }, shown)).to.equal(why);
    const another = refused('There is a migration');
    expect(told({ machine, blocked }, { return: { status: 'completed' } }, another)).to.equal(undefined);
    expect(told({ machine }, refused(reason), shown)).to.equal(undefined);
    expect(told({ blocked, machine: 'none-machine' }, refusal, shown)).to.equal(undefined);
  });

  it('is told by the device that has no state to send, unless it is our machine', () => {
    const desc = "State blocked by non-migratable device '0000:00:04.0/nvme'";
    expect(told({ machine }, refused(desc))).to.equal(`its migration is blocked: ${desc}`);
    expect(told({ machine: 'none-machine' }, refused(desc))).to.equal(undefined);
  });

  it('says so when it is asked what it is', async () => {
    const asked = async (shown: string) => {
      const target = monitor(`execute === "query-migrate" ? { return: ${shown} } : { return: {} }`);
      try {
        return (await factsOf(target)).blocked;
      } finally {
        await target.close();
      }
    };
    expect(await asked('{ "blocked-reasons": ["a device"] }')).to.deep.equal(['a device']);
    expect(await asked('{}')).to.equal(undefined);
  });
});
