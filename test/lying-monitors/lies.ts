/** Every lie by its name, and the variations that are none. */

import type { Lie } from './lie.js';
import { aboutBytes } from './lies-about-bytes.js';
import { aboutEvents } from './lies-about-events.js';
import { aboutMigration } from './lies-about-migration.js';
import { aboutReplies } from './lies-about-replies.js';
import { variations } from './variations.js';

export const lies: Readonly<Record<string, Lie>> = {
  ...aboutBytes,
  ...aboutReplies,
  ...aboutEvents,
  ...aboutMigration,
  ...variations,
};
