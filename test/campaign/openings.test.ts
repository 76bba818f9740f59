import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { withEnd } from '../../campaign/epilogue.js';
import { sweepsOf } from '../../generators/scenario/sweep.js';
import { transfer, transfersOf } from '../../generators/scenario/transfers.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import type { Scenario } from '../../targets/scenario.js';
import { baselineFacts } from '../oracle/scripted-target.js';

async function shownBy(one: Scenario, ...faults: readonly string[]): Promise<string[]> {
  const world = new SimulatedWorld(1);
  const target = new InProcessTarget({ dialect: '3.0', faults, world: world.target });
  const run = attempt(withEnd(one), { target, facts: baselineFacts, strictDesc: false, world: world.stage });
  const { symptoms } = await world.scheduler.drive(run, 60_000);
  world.end();
  return symptoms.map(({ rows, subject }) => `${rows[0]} ${subject}`);
}

const surroundings = { dialect: dialects['3.0'], schema: baselineFacts.schema, guest: true };
const sweeps = sweepsOf(surroundings.dialect, surroundings.schema);
const transfers = Array.from({ length: transfersOf(surroundings) }, (_, n) => transfer([n], surroundings));

/** The first of them that does all of this. */
function doing(among: readonly Scenario[], ...words: readonly string[]): Scenario {
  const found = among.find((one) => words.every((word) => JSON.stringify(one.steps).includes(word)));
  if (found === undefined) throw new Error(`nothing does ${words.join(' and ')}`);
  return found;
}

describe('what a campaign begins with', () => {
  const planted: Readonly<Record<string, readonly [Scenario, RegExp]>> = {
    'time-goes-back': [doing(sweeps, '"stop"', '"runstate"'), /QMP-EVT-02 an event with a time before/],
    'time-stands-still': [doing(sweeps, '"stop"', '"runstate"'), /QMP-EVT-02 an event with a time before/],
    'time-ahead': [doing(sweeps, '"quit"', '"exit"'), /QMP-EVT-02 an event of the future/],
    'shutdown-lost': [doing(sweeps, '"quit"', '"exit"'), /QMP-EVT-12 an end without SHUTDOWN/],
    'shutdown-by-guest': [doing(sweeps, '"quit"', '"exit"'), /QMP-EVT-12 SHUTDOWN that blames the guest/],
    'reset-by-guest': [doing(sweeps, '"system_reset"'), /QMP-EVT-10 RESET that blames the guest/],
    'escapes-lost': [doing(sweeps, '"max-bandwidth":"12345"'), /QMP-|query-status/],
    'controls-lost': [doing(sweeps, '"max-bandwidth":"12345"'), /QMP-|query-status/],
    'cache-capped': [doing(sweeps, '"xbzrle-cache-size"'), /MIG-CMD-QPAR-01/],
    'ignores-xen-load-devices-state': [doing(sweeps, '"xen-load-devices-state"'), /MIG-CMD-XEN-01 success/],
    'refuses-xen-set-global-dirty-log': [doing(sweeps, '"xen-set-global-dirty-log"'), /MIG-CMD-XEN-02 error/],
    'ignores-xen-set-replication': [doing(sweeps, '"failover":true'), /MIG-CMD-XEN-02 success/],
    'cancel-never-ends': [doing(sweeps, '"migrate_cancel"', '"max-bandwidth":4096'), /MIG-SM-C03 stays cancelling/],
    'refuses-getfd': [doing(sweeps, '"descriptors"'), /QMP-FD-05 error of getfd/],
    'refuses-closefd': [doing(sweeps, '"descriptors"'), /QMP-FD-08 error of closefd/],
    'refuses-add-fd': [doing(sweeps, '"descriptors"'), /QMP-FD-12 error of add-fd/],
    'refuses-remove-fd': [doing(sweeps, '"descriptors"'), /QMP-FD-14 error of remove-fd/],
    'refuses-migrate-pause': [doing(sweeps, '"migrate-pause"', '"silent"'), /MIG-CMD-PAU-01/],
    'mbps-negative': [transfers[0] as Scenario, /MIG-CMD-QMIG-03/],
    'duplicate-negative': [transfers[0] as Scenario, /MIG-CMD-QMIG-03/],
    'remaining-halved': [doing(transfers, '"downtime-limit":2000000', 'pre-switchover"}'), /MIG-CMD-INV-07/],
    'total-without-downtime': [doing(transfers, '"downtime-limit":2000000', '"slow"'), /MIG-CMD-INV-09/],
    'normal-pages-twice': [transfers[0] as Scenario, /MIG-CMD-INV-01 success of query-migrate/],
    'multifd-bytes-uncounted': [doing(transfers, '"x-multifd"', '"answer"'), /MIG-MFD-STAT-02/],
    'cancel-awaits-channels': [doing(transfers, '"x-multifd"', '"migrate_cancel"'), /MIG-SM-C03 stays cancelling/],
    'total-time-in-seconds': [doing(transfers, 'pattern=counter'), /MIG-CMD-QMIG-03 a total-time that has run slower/],
    'xbzrle-delta-damaged': [doing(transfers, 'pattern=counter'), /MIG-XBZ-REC-01 two migrations/],
    'xbzrle-cache-blind': [doing(transfers, 'pattern=counter'), /MIG-XBZ-CACHE-01/],
    'xbzrle-zeroes-forgotten': [doing(transfers, 'pattern=zero'), /MIG-XBZ-CACHE-01/],
    'xbzrle-unchanged-sent': [doing(transfers, 'pattern=counter'), /MIG-XBZ-STAT-01/],
    'xbzrle-overflow-uncounted': [doing(transfers, 'pattern=noise', '"xbzrle"'), /MIG-XBZ-STAT-01/],
    'xbzrle-pages-twice': [doing(transfers, 'pattern=counter'), /MIG-XBZ-STAT-03 pages/],
    'xbzrle-bytes-bare': [doing(transfers, 'pattern=counter'), /MIG-XBZ-STAT-03 bytes/],
    'throttle-at-default': [doing(transfers, '"cpu-throttle-initial":40'), /MIG-CMD-INV-08|query-migrate/],
    'throttle-unbounded': [doing(transfers, '"max-cpu-throttle":45'), /MIG-CMD-INV-08|query-migrate/],
  };
  for (const [fault, [scenario, words]] of Object.entries(planted)) {
    it(`shows ${fault}`, async () => {
      expect((await shownBy(scenario, fault)).join()).to.match(words);
    });
  }

  it('shows nothing where all is as it should be', async () => {
    for (const one of [...sweeps, ...transfers])
      expect(await shownBy(one), JSON.stringify(one.steps)).to.deep.equal([]);
  });
});
