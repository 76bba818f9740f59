/** Every chapter, in the order of the specification. */
import { commands } from './commands/index.js';
import { effects } from './effects/index.js';
import { multifd } from './multifd/index.js';
import { qmpProtocol } from './qmp-protocol/index.js';
import type { Chapter } from './requirement.js';
import { stateMachine } from './state-machine/index.js';
import { streamFormat } from './stream-format/index.js';
import { xbzrle } from './xbzrle/index.js';

export const chapters: readonly Chapter[] = [
  ...qmpProtocol,
  ...commands,
  ...stateMachine,
  ...effects,
  ...streamFormat,
  ...xbzrle,
  ...multifd,
];
