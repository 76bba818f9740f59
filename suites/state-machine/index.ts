/** Chapters of state-machine.md. */
import type { Chapter } from '../requirement.js';
import { start } from './03-1-start.js';
import { iteration } from './03-2-iteration.js';
import { switchover } from './03-3-switchover.js';
import { postcopy } from './03-4-postcopy.js';
import { recovery } from './03-5-recovery.js';
import { colo } from './03-6-colo.js';
import { cancels } from './03-7-cancel.js';
import { waiting } from './04-1-waiting.js';
import { load } from './04-2-load.js';
import { incomingPostcopy } from './04-3-postcopy.js';
import { incomingRecovery } from './04-4-recovery.js';
import { orders } from './06-orders.js';
import { pairs } from './07-pairs.js';

export const stateMachine: readonly Chapter[] = [
  start,
  iteration,
  switchover,
  postcopy,
  recovery,
  colo,
  cancels,
  waiting,
  load,
  incomingPostcopy,
  incomingRecovery,
  orders,
  pairs,
];
