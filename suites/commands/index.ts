/** Chapters of commands.md. */
import type { Chapter } from '../requirement.js';
import { argumentChecks } from './01-arguments.js';

export const commands: readonly Chapter[] = [argumentChecks];
