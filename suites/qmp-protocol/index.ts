/** Chapters of qmp-protocol.md. */
import type { Chapter } from '../requirement.js';
import { negotiation } from './03-negotiation.js';

export const qmpProtocol: readonly Chapter[] = [negotiation];
