/** What settings do, judged by what is seen of it. */
import type { Chapter } from '../requirement.js';
import { capabilityEffects } from './capabilities.js';
import { figureEffects } from './figures.js';
import { parameterEffects } from './parameters.js';
import { programEffects } from './programs.js';
import { throttle } from './throttle.js';

export const effects: readonly Chapter[] = [
  parameterEffects,
  capabilityEffects,
  figureEffects,
  programEffects,
  throttle,
];
