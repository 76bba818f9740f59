/** `query-migrate`: which members appear (commands.md §8.1). */
import type { MigrationRules } from '../dialects/migration.js';
import type { CommandRule } from './command.js';
import type { ReplyValue } from './output.js';
import { isOn, type MigrationStatus, type ModelState } from './state.js';

/** Running states with the full set of members. */
const detailed: ReadonlySet<MigrationStatus> = new Set([
  'active',
  'pre-switchover',
  'device',
  'cancelling',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover-setup',
  'postcopy-recover',
]);

/** Where a destination may be about to end because of its stream. */
const givesUp: ReadonlySet<ModelState['in']['pc']> = new Set(['listening', 'doomed']);

/** Members of the reply in a state: incoming layer first, overridden by the outgoing one (MIG-CMD-QMIG-01 … -03). */
export function migrationInfoShape(state: ModelState, rules: MigrationRules): Required<Omit<ReplyValue, 'exact'>> {
  const equals: Record<string, unknown> = {};
  const required: string[] = [];
  const optional: string[] = [];
  if (state.in.status !== 'none') equals.status = state.in.status;
  if (state.in.status === 'completed' && isOn(state, 'postcopy-blocktime')) {
    optional.push('postcopy-blocktime', 'postcopy-vcpu-blocktime');
  }
  if (rules.showsSocketAddress && state.in.started) optional.push('socket-address');
  if (state.in.status === 'failed' && rules.errorDesc === 'any') optional.push('error-desc');
  if (rules.errorInPostcopy && state.in.status === 'postcopy-active' && givesUp.has(state.in.pc))
    optional.push('error-desc');
  const { status, error } = state.out;
  if (status === 'none') return { equals, required, optional };
  equals.status = status;
  const compresses = rules.compressionShown && isOn(state, 'compress');
  if (detailed.has(status)) {
    const late = rules.downtimeInPostcopy && status.startsWith('postcopy-');
    required.push('total-time', late ? 'downtime' : 'expected-downtime', 'setup-time', 'ram');
    if (isOn(state, 'xbzrle')) required.push('xbzrle-cache');
    if (compresses) required.push('compression');
    optional.push('disk');
    // Where capabilities may be set while a cancel is under way, it may have been on.
    if (isOn(state, 'auto-converge') || status === 'cancelling') optional.push('cpu-throttle-percentage');
  } else if (status === 'completed') {
    required.push('total-time', 'downtime', 'setup-time', 'ram');
    if (isOn(state, 'xbzrle')) required.push('xbzrle-cache');
    if (compresses) required.push('compression');
    if (state.out.phase === 'settling' && isOn(state, 'auto-converge')) optional.push('cpu-throttle-percentage');
  }
  if (status === 'failed' && error !== null) equals['error-desc'] = error;
  else if (status === 'failed' && rules.errorDesc !== 'connect') optional.push('error-desc');
  else if (rules.errorDesc === 'any') optional.push('error-desc');
  return { equals, required, optional };
}

export const queryMigrate: CommandRule = (call) =>
  call.answer('MIG-CMD-QMIG-01 MIG-CMD-QMIG-02 MIG-CMD-QMIG-03', migrationInfoShape(call.state, call.rules));
