/** Chapters of commands.md. */
import type { Chapter } from '../requirement.js';
import { argumentChecks } from './01-arguments.js';
import { generalRules } from './01-general.js';
import { enums } from './02-enums.js';
import { queryCapabilities } from './03-query-capabilities.js';
import { setCapabilities } from './04-set-capabilities.js';
import { queryParameters } from './05-query-parameters.js';
import { evaluation } from './06-evaluation.js';
import { eachParameter } from './06-set-parameters.js';
import { deprecated } from './07-deprecated.js';
import { completedInfo } from './08-completed.js';
import { queryMigrate } from './08-query-migrate.js';
import { underWay } from './08-under-way.js';
import { migrate } from './09-migrate.js';
import { tls } from './09-tls.js';
import { uris } from './09-uris.js';
import { control } from './10-control.js';
import { incoming } from './11-incoming.js';
import { waitingState } from './11-waiting.js';
import { others } from './12-others.js';
import { plainMigration } from './13-plain-migration.js';

export const commands: readonly Chapter[] = [
  generalRules,
  argumentChecks,
  enums,
  queryCapabilities,
  setCapabilities,
  queryParameters,
  eachParameter,
  evaluation,
  deprecated,
  queryMigrate,
  underWay,
  completedInfo,
  migrate,
  uris,
  tls,
  control,
  incoming,
  waitingState,
  others,
  plainMigration,
];
