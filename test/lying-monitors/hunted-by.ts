/** Lies that only the selftest tells, each with the requirement that must catch it: it looks further when that does not. */
import { huntedAtFirst } from './hunted-at-first.js';
import { huntedLately } from './hunted-lately.js';
import { huntedThen } from './hunted-then.js';

export const huntedBy: Readonly<Record<string, string>> = { ...huntedAtFirst, ...huntedThen, ...huntedLately };
