/** Chapters of multifd.md. */
import type { Chapter } from '../requirement.js';
import { multifdSource } from './01-source.js';
import { multifdDestination } from './05-destination.js';

export const multifd: readonly Chapter[] = [multifdSource, multifdDestination];
