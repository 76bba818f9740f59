/** Chapters of commands.md. */
import type { Chapter } from '../requirement.js';
import { argumentChecks } from './01-arguments.js';
import { generalRules } from './01-general.js';
import { enums } from './02-enums.js';

export const commands: readonly Chapter[] = [generalRules, argumentChecks, enums];
