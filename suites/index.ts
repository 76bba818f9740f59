/** Every chapter, in the order of the specification. */
import { commands } from './commands/index.js';
import { qmpProtocol } from './qmp-protocol/index.js';
import type { Chapter } from './requirement.js';

export const chapters: readonly Chapter[] = [...qmpProtocol, ...commands];
