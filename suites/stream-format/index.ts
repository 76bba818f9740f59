/** Chapters of stream-format.md. */
import type { Chapter } from '../requirement.js';
import { header } from './02-header.js';
import { sections } from './03-sections.js';
import { commandsOfStream } from './04-commands.js';
import { compressed } from './05-compressed.js';
import { ram } from './05-ram.js';
import { devices } from './06-devices.js';
import { returnPath } from './08-return-path.js';
import { postcopySource } from './09-postcopy.js';
import { postcopyLoad } from './09-postcopy-load.js';
import { malformed } from './10-malformed.js';

export const streamFormat: readonly Chapter[] = [
  header,
  sections,
  commandsOfStream,
  ram,
  compressed,
  devices,
  returnPath,
  postcopySource,
  postcopyLoad,
  malformed,
];
