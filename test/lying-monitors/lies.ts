/** Every lie by its name, and the variations that are none. */

import { faults, variations as ofReference } from '../../reference/faults/index.js';
import type { Lie } from './lie.js';
import { aboutAmounts } from './lies-about-amounts.js';
import { aboutBytes } from './lies-about-bytes.js';
import { aboutChannels } from './lies-about-channels.js';
import { aboutConnections } from './lies-about-connections.js';
import { aboutEffects } from './lies-about-effects.js';
import { aboutEvents } from './lies-about-events.js';
import { aboutFigures } from './lies-about-figures.js';
import { aboutMigration } from './lies-about-migration.js';
import { aboutMoments } from './lies-about-moments.js';
import { aboutOrders } from './lies-about-orders.js';
import { aboutRates } from './lies-about-rates.js';
import { aboutRecords } from './lies-about-records.js';
import { aboutReplies } from './lies-about-replies.js';
import { aboutResults } from './lies-about-results.js';
import { aboutSettings } from './lies-about-settings.js';
import { aboutSteps } from './lies-about-steps.js';
import { aboutStreams } from './lies-about-streams.js';
import { aboutTheSchema } from './lies-about-the-schema.js';
import { aboutTheWayBack } from './lies-about-the-way-back.js';
import { betweenTheLines } from './lies-between-the-lines.js';
import { inOnePlace } from './lies-in-one-place.js';
import { inRareStates } from './lies-in-rare-states.js';
import { nearTheTruth } from './lies-near-the-truth.js';
import { onCondition } from './lies-on-condition.js';
import { contradictions } from './lies-that-contradict.js';
import { toldByMoments } from './lies-told-by-moments.js';
import { asLie } from './planted-lie.js';
import { variations } from './variations.js';

export const lies: Readonly<Record<string, Lie>> = {
  ...aboutBytes,
  ...aboutReplies,
  ...aboutEvents,
  ...aboutMigration,
  ...aboutFigures,
  ...aboutRates,
  ...aboutResults,
  ...aboutSettings,
  ...aboutSteps,
  ...aboutStreams,
  ...aboutAmounts,
  ...aboutConnections,
  ...aboutEffects,
  ...aboutMoments,
  ...aboutOrders,
  ...aboutTheSchema,
  ...aboutTheWayBack,
  ...betweenTheLines,
  ...inRareStates,
  ...contradictions,
  ...nearTheTruth,
  ...toldByMoments,
  ...aboutRecords,
  ...aboutChannels,
  ...inOnePlace,
  ...onCondition,
  ...variations,
};

/** A lie of this folder, or what is planted in the reference otherwise: `fault:NAME`, `vary:NAME`. */
export function lieNamed(name: string): Lie | undefined {
  const [kind, planted = ''] = name.split(':');
  if (kind === 'fault') return asLie(faults.get(planted));
  if (kind === 'vary') return asLie(ofReference.get(planted));
  return lies[name];
}
