/** Chapters of qmp-protocol.md. */
import type { Chapter } from '../requirement.js';
import { connecting } from './01-connecting.js';
import { transports } from './01-transports.js';
import { negotiation } from './03-negotiation.js';
import { envelope } from './04-envelope.js';
import { replies } from './05-replies.js';

export const qmpProtocol: readonly Chapter[] = [transports, connecting, negotiation, envelope, replies];
