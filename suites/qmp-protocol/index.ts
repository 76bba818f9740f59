/** Chapters of qmp-protocol.md. */
import type { Chapter } from '../requirement.js';
import { connecting } from './01-connecting.js';
import { transports } from './01-transports.js';
import { greeting } from './02-greeting.js';
import { negotiation } from './03-negotiation.js';
import { envelope } from './04-envelope.js';
import { replies } from './05-replies.js';
import { output } from './06-output.js';
import { input } from './07-input.js';
import { inputLimits } from './07-limits.js';
import { argumentTypes } from './08-argument-types.js';
import { argumentOrder, argumentRanges } from './08-arguments.js';
import { events } from './09-events.js';
import { connections } from './10-connections.js';
import { flowControl } from './11-flow-control.js';
import { outOfBand } from './12-out-of-band.js';
import { genericCommands } from './13-generic-commands.js';
import { schemaEntities } from './13-schema.js';
import { descriptors } from './14-descriptors.js';
import { passedDescriptors } from './14-passed-descriptors.js';
import { migratedStates } from './15-migrated-states.js';
import { runStates } from './15-run-states.js';
import { differences } from './17-differences.js';

export const qmpProtocol: readonly Chapter[] = [
  transports,
  connecting,
  greeting,
  negotiation,
  envelope,
  replies,
  output,
  ...input,
  inputLimits,
  argumentTypes,
  argumentRanges,
  argumentOrder,
  events,
  connections,
  flowControl,
  outOfBand,
  genericCommands,
  schemaEntities,
  descriptors,
  passedDescriptors,
  runStates,
  migratedStates,
  differences,
];
