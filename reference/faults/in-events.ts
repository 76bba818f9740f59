/** Events that are lost, doubled, late or wrong. */
import { type EventFault, inArea, type Raised } from './fault.js';

type Test = (raised: Raised) => boolean;

const named =
  (name: string): Test =>
  ({ event }) =>
    event === name;
const status =
  (wanted: string): Test =>
  ({ event, data }) =>
    event === 'MIGRATION' && data?.status === wanted;
const pass = named('MIGRATION_PASS');
const stop = named('STOP');
const resume = named('RESUME');

const lost =
  (test: Test): EventFault =>
  (raised) =>
    test(raised) ? [] : [raised];
const twice =
  (test: Test): EventFault =>
  (raised) =>
    test(raised) ? [raised, raised] : [raised];
const changed =
  (test: Test, change: (data: Readonly<Record<string, unknown>>) => Record<string, unknown>): EventFault =>
  (raised) => [test(raised) ? { event: raised.event, data: change(raised.data ?? {}) } : raised];
/** Keeps the event back until the one after it. */
const late =
  (test: Test): EventFault =>
  (raised, memory) => {
    const held = memory.get('late event') as Raised | undefined;
    if (held === undefined && test(raised)) {
      memory.set('late event', raised);
      return [];
    }
    memory.delete('late event');
    return held === undefined ? [raised] : [raised, held];
  };
const numbered = (change: (number: number) => unknown): EventFault =>
  changed(pass, (data) => ({ pass: change(Number(data.pass)) }));

export const eventFaults = inArea('events', {
  'setup-lost': {
    title: 'begins a migration without announcing it',
    rows: ['MIG-SM-O01', 'MIG-SM-I04', 'MIG-CMD-EVT-01'],
    event: lost(status('setup')),
  },
  'setup-twice': {
    title: 'announces the begin of a migration twice',
    rows: ['MIG-SM-O01', 'MIG-SM-I04', 'MIG-CMD-EVT-01'],
    event: twice(status('setup')),
  },
  'setup-late': {
    title: 'announces the begin of a migration after the reply to migrate, and after its first pass',
    rows: ['MIG-SM-O01', 'MIG-SM-R01'],
    event: late(status('setup')),
  },
  'active-lost': {
    title: 'does not announce that a migration is active',
    rows: ['MIG-SM-O12', 'MIG-SM-I09', 'MIG-CMD-EVT-01'],
    event: lost(status('active')),
  },
  'active-twice': {
    title: 'announces twice that a migration is active',
    rows: ['MIG-SM-O12', 'MIG-SM-I09', 'MIG-CMD-EVT-01'],
    event: twice(status('active')),
  },
  'active-as-device': {
    title: 'announces an active migration as one that writes its devices',
    rows: ['MIG-SM-O12', 'MIG-SM-I09', 'MIG-CMD-EVT-01'],
    event: changed(status('active'), () => ({ status: 'device' })),
  },
  'first-pass-late': {
    title: 'announces the first pass of a migration after active',
    rows: ['MIG-SM-O12', 'MIG-SM-R01'],
    event: (raised, memory) => {
      if (pass(raised) && memory.get('pass seen') === true) return [raised];
      memory.set('pass seen', pass(raised));
      return late(pass)(raised, memory);
    },
  },
  'completed-lost': {
    title: 'does not announce that a migration has completed',
    rows: ['MIG-SM-O36', 'MIG-SM-O37', 'MIG-SM-I21', 'MIG-CMD-EVT-01'],
    event: lost(status('completed')),
  },
  'completed-twice': {
    title: 'announces twice that a migration has completed',
    rows: ['MIG-SM-O36', 'MIG-SM-O37', 'MIG-SM-I21', 'MIG-CMD-EVT-01'],
    event: twice(status('completed')),
  },
  'completed-as-failed': {
    title: 'announces a completed migration as failed',
    rows: ['MIG-SM-O36', 'MIG-SM-O37', 'MIG-SM-I21'],
    event: changed(status('completed'), () => ({ status: 'failed' })),
  },
  'completed-late': {
    title: 'announces a completed migration only at the next event',
    rows: ['MIG-SM-O36', 'MIG-SM-O37', 'MIG-SM-I21', 'MIG-CMD-EVT-01'],
    event: late(status('completed')),
  },
  'failed-lost': {
    title: 'does not announce that a migration has failed',
    rows: ['MIG-SM-O03', 'MIG-SM-O08', 'MIG-SM-I20', 'MIG-CMD-EVT-01'],
    event: lost(status('failed')),
  },
  'failed-twice': {
    title: 'announces twice that a migration has failed',
    rows: ['MIG-SM-O03', 'MIG-SM-O08', 'MIG-SM-I20', 'MIG-CMD-EVT-01'],
    event: twice(status('failed')),
  },
  'failed-as-cancelled': {
    title: 'announces a failed migration as cancelled',
    rows: ['MIG-SM-O03', 'MIG-SM-O08', 'MIG-SM-I20'],
    event: changed(status('failed'), () => ({ status: 'cancelled' })),
  },
  'cancelling-lost': {
    title: 'does not announce that a migration is being cancelled',
    rows: ['MIG-SM-C04', 'MIG-SM-C08', 'MIG-CMD-EVT-01'],
    event: lost(status('cancelling')),
  },
  'cancelling-twice': {
    title: 'announces twice that a migration is being cancelled',
    rows: ['MIG-SM-C04', 'MIG-SM-C08', 'MIG-CMD-EVT-01'],
    event: twice(status('cancelling')),
  },
  'cancelling-late': {
    title: 'announces that a migration is being cancelled only after the reply',
    rows: ['MIG-SM-C04', 'MIG-SM-C08'],
    event: late(status('cancelling')),
  },
  'cancelled-lost': {
    title: 'does not announce that a migration was cancelled',
    rows: ['MIG-SM-C04', 'MIG-SM-C08', 'MIG-CMD-EVT-01'],
    event: lost(status('cancelled')),
  },
  'cancelled-twice': {
    title: 'announces twice that a migration was cancelled',
    rows: ['MIG-SM-C04', 'MIG-SM-C08', 'MIG-CMD-EVT-01'],
    event: twice(status('cancelled')),
  },
  'cancelled-as-failed': {
    title: 'announces a cancelled migration as failed',
    rows: ['MIG-SM-C04', 'MIG-SM-C08'],
    event: changed(status('cancelled'), () => ({ status: 'failed' })),
  },
  'pre-switchover-lost': {
    title: 'waits before the switch-over without announcing it',
    rows: ['MIG-SM-O32', 'MIG-CMD-EVT-01'],
    event: lost(status('pre-switchover')),
  },
  'pre-switchover-before-stop': {
    title: 'announces that it waits before the switch-over, and then that the guest stopped',
    rows: ['MIG-SM-O32', 'MIG-SM-R02'],
    event: late(stop),
  },
  'device-lost': {
    title: 'goes on after the switch-over without announcing it',
    rows: ['MIG-SM-O33', 'MIG-CMD-EVT-01'],
    event: lost(status('device')),
  },
  'device-twice': {
    title: 'announces twice that it goes on after the switch-over',
    rows: ['MIG-SM-O33', 'MIG-CMD-EVT-01'],
    event: twice(status('device')),
  },
  'postcopy-active-lost': {
    title: 'switches to postcopy without announcing it',
    rows: ['MIG-SM-O51', 'MIG-CMD-EVT-01'],
    event: lost(status('postcopy-active')),
  },
  'postcopy-paused-lost': {
    title: 'pauses a postcopy without announcing it',
    rows: ['MIG-SM-O60', 'MIG-CMD-EVT-01'],
    event: lost(status('postcopy-paused')),
  },
  'postcopy-paused-as-failed': {
    title: 'announces a paused postcopy as failed',
    rows: ['MIG-SM-O60'],
    event: changed(status('postcopy-paused'), () => ({ status: 'failed' })),
  },
  'postcopy-recover-twice': {
    title: 'announces twice that it takes up a postcopy again',
    rows: ['MIG-SM-O73', 'MIG-CMD-EVT-01'],
    event: twice(status('postcopy-recover')),
  },
  'passes-lost': {
    title: 'does not announce passes',
    rows: ['MIG-SM-O12', 'MIG-SM-O35', 'MIG-CMD-EVT-04'],
    event: lost(pass),
  },
  'passes-twice': {
    title: 'announces each pass twice',
    rows: ['MIG-SM-O20', 'MIG-SM-O12', 'MIG-CMD-EVT-04'],
    event: twice(pass),
  },
  'passes-from-zero': {
    title: 'counts passes from zero',
    rows: ['MIG-SM-O12', 'MIG-CMD-EVT-04'],
    event: numbered((number) => number - 1),
  },
  'passes-skip': {
    title: 'counts passes in steps of two',
    rows: ['MIG-SM-O20', 'MIG-SM-O35', 'MIG-CMD-EVT-04'],
    event: numbered((number) => 2 * number - 1),
  },
  'passes-stand-still': {
    title: 'gives every pass the number 1',
    rows: ['MIG-SM-O20', 'MIG-SM-O35', 'MIG-CMD-EVT-04'],
    event: numbered(() => 1),
  },
  'passes-as-text': {
    title: 'writes the number of a pass as text',
    rows: ['MIG-SM-O12', 'MIG-CMD-EVT-04'],
    event: numbered(String),
  },
  'passes-without-number': {
    title: 'announces passes without their number',
    rows: ['MIG-SM-O12', 'MIG-CMD-EVT-04'],
    event: changed(pass, () => ({})),
  },
  'stop-lost': {
    title: 'stops the guest in silence',
    rows: ['MIG-SM-O30', 'MIG-SM-O22', 'MIG-SM-E03', 'MIG-CMD-EVT-05'],
    event: lost(stop),
  },
  'stop-twice': {
    title: 'announces twice that the guest stopped',
    rows: ['MIG-SM-O30', 'MIG-SM-O22', 'MIG-SM-E04', 'MIG-CMD-EVT-05'],
    event: twice(stop),
  },
  'stop-with-data': {
    title: 'gives the event STOP data',
    rows: ['MIG-SM-O30', 'MIG-SM-O22', 'MIG-CMD-EVT-05'],
    event: changed(stop, () => ({ status: 'finish-migrate' })),
  },
  'resume-lost': {
    title: 'lets the guest run in silence',
    rows: ['MIG-SM-C08', 'MIG-SM-O44', 'MIG-SM-I21', 'MIG-SM-E03', 'MIG-CMD-EVT-06'],
    event: lost(resume),
  },
  'resume-twice': {
    title: 'announces twice that the guest runs',
    rows: ['MIG-SM-C08', 'MIG-SM-O44', 'MIG-SM-I21', 'MIG-SM-E04', 'MIG-CMD-EVT-06'],
    event: twice(resume),
  },
  'resume-after-completed': {
    title: 'announces on the destination first that the load completed, and then that the guest runs',
    rows: ['MIG-SM-I21'],
    event: late(resume),
  },
  'status-in-capitals': {
    title: 'writes the status of a migration in capitals',
    rows: ['MIG-SM-O01', 'MIG-SM-I04', 'MIG-CMD-EVT-01'],
    event: changed(
      ({ event }) => event === 'MIGRATION',
      ({ status: one }) => ({ status: String(one).toUpperCase() }),
    ),
  },
  'status-left-out': {
    title: 'announces that the status of a migration changed, without the status',
    rows: ['MIG-SM-O01', 'MIG-SM-I04', 'MIG-CMD-EVT-01'],
    event: changed(named('MIGRATION'), () => ({})),
  },
  'events-uncalled': {
    title: 'announces changes of status though capability events is off',
    rows: ['MIG-CMD-EVT-01', 'MIG-SM-O01', 'MIG-SM-O12', 'MIG-SM-O36'],
    step: (step, { capabilities, out }) => {
      const { status: now } = step.next.out;
      if (capabilities.includes('events') || now === out.status) return step;
      return { ...step, outputs: [{ kind: 'event', event: 'MIGRATION', status: now }, ...step.outputs] };
    },
  },
});
