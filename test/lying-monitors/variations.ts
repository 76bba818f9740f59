/** What a monitor is free to do. */
import { variations as ofReference } from '../../reference/faults/index.js';
import type { Lie } from './lie.js';
import { asLie } from './planted-lie.js';

const unchanged = () => (chunk: Buffer) => chunk;

/** The truth, and the variations of the reference, told between the suite and a real monitor. */
export const variations: Readonly<Record<string, Lie>> = {
  truth: { says: 'the truth' },
  // What such a lie does with an honest stream; a peer that lets a source wait cannot be told through it.
  'truth-by-relay': {
    says: 'the truth, with streams by way of a relay',
    stream: unchanged,
    back: unchanged,
    arriving: unchanged,
    answering: unchanged,
  },
  ...Object.fromEntries(
    [...ofReference].flatMap(([name, variation]) => {
      const lie = asLie(variation);
      return lie === undefined ? [] : [[`vary-${name}`, lie]];
    }),
  ),
};
