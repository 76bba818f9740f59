/** What a monitor is free to do. */
import { variations as ofReference } from '../../reference/faults/index.js';
import type { Lie } from './lie.js';
import { asLie } from './planted-lie.js';

/** The truth, and the variations of the reference, told between the suite and a real monitor. */
export const variations: Readonly<Record<string, Lie>> = {
  truth: { says: 'the truth' },
  ...Object.fromEntries(
    [...ofReference].flatMap(([name, variation]) => {
      const lie = asLie(variation);
      return lie === undefined ? [] : [[`vary-${name}`, lie]];
    }),
  ),
};
