/** Chapters of qmp-protocol.md. */
import type { Chapter } from '../requirement.js';
import { connecting } from './01-connecting.js';
import { transports } from './01-transports.js';
import { greeting } from './02-greeting.js';
import { negotiation } from './03-negotiation.js';
import { envelope } from './04-envelope.js';
import { replies } from './05-replies.js';
import { input } from './07-input.js';

export const qmpProtocol: readonly Chapter[] = [
  transports,
  connecting,
  greeting,
  negotiation,
  envelope,
  replies,
  ...input,
];
