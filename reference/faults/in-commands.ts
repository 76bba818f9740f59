/** Commands that are carried out where they must not be, or not at all. */
import { CommandError } from '../migration/host.js';
import { type Call, type CallFault, inArea } from './fault.js';

/** Succeeds where it would be refused; `state` as `query-migrate` shows it, `undefined` for any. */
const accepted =
  (...states: string[]): CallFault =>
  (call) => {
    if (states.length > 0 && !states.includes(statusOf(call))) return call.next();
    const result = refused(call);
    return result instanceof Promise ? result.catch(() => undefined) : result;
  };

function refused(call: Call): unknown {
  try {
    return call.next();
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

const statusOf = ({ ask }: Call): string => String((ask('query-migrate') as { status?: unknown }).status ?? 'none');
const runStateOf = ({ ask }: Call): string => String((ask('query-status') as { status: unknown }).status);

export const commandFaults = inArea('commands', {
  'second-migrate-accepted': {
    title: 'accepts migrate, without effect, while a migration is running',
    rows: ['MIG-CMD-MIG-05', 'MIG-SM-O24'],
    calls: { migrate: accepted('active') },
  },
  'migrate-while-waiting-accepted': {
    title: 'accepts migrate, without effect, while it waits for an incoming migration',
    rows: ['MIG-CMD-MIG-06', 'MIG-SM-I07'],
    calls: { migrate: (call) => (runStateOf(call) === 'inmigrate' ? undefined : call.next()) },
  },
  'resume-accepted': {
    title: 'accepts migrate with resume although nothing is paused',
    rows: ['MIG-CMD-MIG-02', 'MIG-SM-O06'],
    calls: { migrate: (call) => (call.args.resume === true ? undefined : call.next()) },
  },
  'bad-uri-accepted': {
    title: 'answers with success to migrate although it cannot use the URI',
    rows: ['MIG-SM-O03', 'MIG-SM-O04', 'MIG-SM-O06', 'MIG-CMD-MIG-30'],
    calls: { migrate: accepted('none', 'failed') },
  },
  'migrate-ignored': {
    title: 'accepts migrate and does nothing',
    rows: ['MIG-SM-O01'],
    calls: { migrate: () => undefined },
  },
  'capabilities-accepted-in-progress': {
    title: 'accepts capabilities, without effect, while a migration is running',
    rows: ['MIG-CMD-SCAP-02', 'MIG-SM-O24'],
    calls: { 'migrate-set-capabilities': accepted('active') },
  },
  'continue-anywhere': {
    title: 'accepts migrate-continue in any state',
    rows: ['MIG-CMD-CONT-01'],
    calls: { 'migrate-continue': accepted() },
  },
  'continue-with-state': {
    title: 'answers migrate-continue with a value',
    rows: ['MIG-CMD-CONT-03', 'MIG-SM-O33'],
    calls: {
      'migrate-continue': (call) => {
        call.next();
        return { status: 'device' };
      },
    },
  },
  'start-postcopy-anywhere': {
    title: 'accepts migrate-start-postcopy without capability postcopy-ram',
    rows: ['MIG-CMD-SPC-01'],
    calls: { 'migrate-start-postcopy': accepted() },
  },
  'pause-anywhere': {
    title: 'accepts migrate-pause where there is no postcopy',
    rows: ['MIG-CMD-PAU-03'],
    calls: { 'migrate-pause': accepted() },
  },
  'pause-refused': {
    title: 'refuses migrate-pause in postcopy as if it were over',
    rows: ['MIG-CMD-PAU-01', 'MIG-SM-O60'],
    calls: {
      'migrate-pause': (call) => {
        if (statusOf(call) === 'postcopy-active') throw new CommandError('No postcopy', 'DeviceNotActive');
        return call.next();
      },
    },
  },
  'cancel-of-paused-accepted': {
    title: 'accepts migrate_cancel, without effect, while a postcopy is paused',
    rows: ['MIG-SM-C11'],
    // Others are known to accept it.
    dialect: '10.0',
    calls: { migrate_cancel: accepted('postcopy-paused') },
  },
  'resume-refused': {
    title: 'refuses to take up a paused postcopy again',
    rows: ['MIG-SM-O71', 'MIG-CMD-MIG-02'],
    calls: {
      migrate: (call) => {
        if (call.args.resume === true) throw new CommandError('Cannot resume');
        return call.next();
      },
    },
  },
  'cont-in-postcopy-accepted': {
    title: 'accepts cont, without effect, in postcopy',
    rows: ['MIG-SM-O64'],
    dialect: '7.2',
    calls: { cont: accepted('postcopy-active') },
  },
  'recover-anywhere': {
    title: 'accepts migrate-recover where nothing is paused',
    rows: ['MIG-CMD-REC-01', 'MIG-CMD-REC-02', 'MIG-SM-I23', 'MIG-SM-I47'],
    calls: { 'migrate-recover': accepted() },
  },
  'cancel-refused': {
    title: 'refuses migrate_cancel where there is nothing to cancel',
    rows: ['MIG-CMD-CAN-02', 'MIG-SM-C01'],
    calls: {
      migrate_cancel: (call) => {
        if (statusOf(call) === 'none') throw new CommandError('No migration is in progress');
        return call.next();
      },
    },
  },
  'cancel-ignored': {
    title: 'accepts migrate_cancel and goes on migrating',
    rows: ['MIG-SM-C04', 'MIG-SM-C08'],
    calls: { migrate_cancel: () => undefined },
  },
  'cancel-with-status': {
    title: 'answers migrate_cancel with a value',
    rows: ['MIG-SM-C04', 'MIG-CMD-CAN-02', 'MIG-SM-C01'],
    calls: {
      migrate_cancel: (call) => {
        call.next();
        return { status: 'cancelled' };
      },
    },
  },
  'second-incoming-accepted': {
    title: 'accepts a second migrate-incoming, without effect',
    rows: ['MIG-CMD-INC-02', 'MIG-SM-I06'],
    calls: { 'migrate-incoming': accepted() },
  },
  'incoming-anywhere': {
    title: 'accepts migrate-incoming, without effect, on a process that does not wait for a migration',
    rows: ['MIG-CMD-INC-01'],
    calls: { 'migrate-incoming': (call) => (runStateOf(call) === 'running' ? undefined : call.next()) },
  },
  'cont-ignored': {
    title: 'accepts cont and leaves the guest stopped',
    rows: ['MIG-SM-O44', 'MIG-SM-O22'],
    calls: { cont: () => undefined },
  },
  'cont-before-switch-over-accepted': {
    title: 'accepts cont, without effect, while a switch-over waits',
    rows: ['MIG-SM-O42'],
    dialect: '7.2',
    calls: { cont: accepted() },
  },
  'stop-ignored': {
    title: 'accepts stop and lets the guest run',
    rows: ['MIG-SM-O22'],
    calls: { stop: () => undefined },
  },
  'error-class-wrong': {
    title: 'refuses what it knows as if it knew it not',
    rows: ['MIG-CMD-MIG-05', 'MIG-SM-O24', 'MIG-CMD-CONT-01'],
    calls: {
      '*': (call) => {
        try {
          return call.next();
        } catch (error) {
          throw error instanceof CommandError ? new CommandError(error.desc, 'CommandNotFound') : error;
        }
      },
    },
  },
});

export const settingsFaults = inArea('settings', {
  'parameter-lost': {
    title: 'accepts downtime-limit and keeps the old one',
    rows: ['MIG-CMD-SPAR-02', 'MIG-CMD-QPAR-01'],
    calls: {
      'migrate-set-parameters': ({ args, next }) => {
        const { 'downtime-limit': _, ...others } = args;
        return next(others);
      },
    },
  },
  'parameter-clamped': {
    title: 'keeps max-bandwidth below 1 GiB/s without a word',
    rows: ['MIG-CMD-SPAR-02', 'MIG-CMD-QPAR-01'],
    calls: {
      'migrate-set-parameters': ({ args, next }) => {
        const given = args['max-bandwidth'];
        return next(
          typeof given === 'bigint' && given >= 2n ** 30n ? { ...args, 'max-bandwidth': 2n ** 30n - 1n } : args,
        );
      },
    },
  },
  'parameters-mixed-up': {
    title: 'shows cpu-throttle-initial and cpu-throttle-increment in each other’s place',
    rows: ['MIG-CMD-QPAR-01', 'MIG-CMD-QPAR-02'],
    calls: {
      'query-migrate-parameters': (call) => {
        const shown = call.next() as Record<string, unknown>;
        const { 'cpu-throttle-initial': a, 'cpu-throttle-increment': b } = shown;
        return { ...shown, 'cpu-throttle-initial': b, 'cpu-throttle-increment': a };
      },
    },
  },
  'parameter-hidden': {
    title: 'does not show tls-hostname while it is empty',
    rows: ['MIG-CMD-QPAR-01'],
    calls: {
      'query-migrate-parameters': (call) => {
        const { 'tls-hostname': _, ...others } = call.next() as Record<string, unknown>;
        return others;
      },
    },
  },
  'parameters-partly-set': {
    title: 'sets the good one of two parameters although it refuses the call',
    rows: ['MIG-CMD-SPAR-03', 'MIG-CMD-QPAR-01'],
    calls: {
      'migrate-set-parameters': ({ args, next }) => {
        for (const [name, value] of Object.entries(args)) next({ [name]: value });
        return undefined;
      },
    },
  },
  'parameter-range-open': {
    title: 'answers with success to a parameter out of range',
    rows: ['MIG-CMD-SPAR-03', 'MIG-CMD-SPAR-04'],
    calls: { 'migrate-set-parameters': accepted() },
  },
  'parameters-refused-in-progress': {
    title: 'refuses parameters while a migration is running',
    rows: ['MIG-CMD-SPAR-01', 'MIG-CMD-SPAR-02', 'MIG-SM-O23'],
    calls: {
      'migrate-set-parameters': (call) => {
        if (statusOf(call) === 'active') throw new CommandError("There's a migration process in progress");
        return call.next();
      },
    },
  },
  'capability-lost': {
    title: 'accepts the last capability of a list and leaves it as it was',
    rows: ['MIG-CMD-SCAP-09', 'MIG-CMD-QCAP-01'],
    calls: {
      'migrate-set-capabilities': ({ args, next }) =>
        next({ capabilities: (args.capabilities as readonly unknown[]).slice(0, -1) }),
    },
  },
  'capability-list-reversed': {
    title: 'lets the first of two entries for a capability win',
    rows: ['MIG-CMD-SCAP-04', 'MIG-CMD-QCAP-01'],
    calls: {
      'migrate-set-capabilities': ({ args, next }) =>
        next({ capabilities: [...(args.capabilities as readonly unknown[])].reverse() }),
    },
  },
  'capabilities-partly-set': {
    title: 'sets capabilities one by one until one is refused',
    rows: ['MIG-CMD-SCAP-09', 'MIG-CMD-QCAP-01'],
    calls: {
      'migrate-set-capabilities': ({ args, next }) => {
        for (const one of args.capabilities as readonly unknown[]) next({ capabilities: [one] });
        return undefined;
      },
    },
  },
  'capability-conflict-accepted': {
    title: 'answers with success to capabilities that exclude each other',
    rows: ['MIG-CMD-SCAP-06', 'MIG-CMD-SCAP-08'],
    calls: { 'migrate-set-capabilities': accepted('none') },
  },
  'capability-hidden': {
    title: 'does not show the last of its capabilities',
    rows: ['MIG-CMD-QCAP-01'],
    calls: { 'query-migrate-capabilities': (call) => (call.next() as readonly unknown[]).slice(0, -1) },
  },
});
