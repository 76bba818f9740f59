/** Chapters of commands.md. */
import type { Chapter } from '../requirement.js';

export const commands: readonly Chapter[] = [];
