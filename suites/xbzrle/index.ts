/** Chapters of xbzrle.md. */
import type { Chapter } from '../requirement.js';
import { records } from './01-record.js';
import { cache } from './03-cache.js';

export const xbzrle: readonly Chapter[] = [records, cache];
