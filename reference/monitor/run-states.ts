/** Which run state may follow which (qmp-protocol.md §15, §17.4). */
import type { Transition } from '../dialects/protocol.js';
import type { RunState } from '../migration/host.js';

const baseline: Readonly<Record<RunState, string>> = {
  preconfig: 'inmigrate prelaunch',
  prelaunch: 'finish-migrate inmigrate running',
  inmigrate:
    'colo finish-migrate guest-panicked internal-error io-error paused postmigrate prelaunch running shutdown ' +
    'suspended watchdog',
  running:
    'colo debug finish-migrate guest-panicked internal-error io-error paused restore-vm save-vm shutdown suspended ' +
    'watchdog',
  paused: 'colo finish-migrate postmigrate prelaunch running',
  'finish-migrate': 'colo paused postmigrate prelaunch running',
  postmigrate: 'finish-migrate prelaunch running',
  colo: 'running',
  'save-vm': 'running',
  'restore-vm': 'prelaunch running',
  suspended: 'colo finish-migrate prelaunch running',
  shutdown: 'finish-migrate paused prelaunch',
  'internal-error': 'finish-migrate paused prelaunch',
  debug: 'finish-migrate prelaunch running suspended',
  'io-error': 'finish-migrate prelaunch running',
  'guest-panicked': 'finish-migrate prelaunch running',
  watchdog: 'colo finish-migrate prelaunch running',
};

/** Whether a dialect with these extra transitions permits the change. Staying in a state is always permitted. */
export function isLegalTransition(from: RunState, to: RunState, extra: readonly Transition[]): boolean {
  return from === to || baseline[from].split(' ').includes(to) || extra.some(([a, b]) => a === from && b === to);
}

/** States from which only a reset leads on (QMP-BASE-08). */
export function needsReset(state: RunState): boolean {
  return state === 'shutdown' || state === 'internal-error';
}
