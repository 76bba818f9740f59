/** How far the tables of a dialect may be held against a target of a release that has no dialect of its own. */
import type { TargetFacts } from '../../targets/facts.js';

/** The target is of a release that the dialect describes, or its user says so. */
export const fitsExactly = (facts: TargetFacts): boolean =>
  facts.dialectNote === undefined || facts.dialectNote.startsWith('chosen');

/** For `unless`: tables of another release say nothing about this one. */
export const unlessExact = (facts: TargetFacts): string | undefined =>
  fitsExactly(facts) ? undefined : `release ${facts.version || 'unknown'} has no table of its own`;

/** For `unless`: only targets that describe themselves can be held to their description. */
export const unlessIntrospected = (facts: TargetFacts): string | undefined =>
  facts.schemaNote === undefined ? undefined : 'the target does not describe its schema';
