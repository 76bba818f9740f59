// Notes anew which requirement exercises which entity of the baseline: runs all of them on the reference monitor.
// `npm run coverage`; the result is committed, and a test holds it against what requirements really do.
import { writeFileSync } from 'node:fs';
import { record } from '../dist/suites/coverage/record.js';
import { encodeCoverage } from '../dist/suites/coverage/table.js';
import { chapters } from '../dist/suites/index.js';
import { referenceTarget } from '../dist/targets/executable.js';

const target = referenceTarget();
const recordings = await record(
  target,
  chapters.flatMap(({ requirements }) => requirements),
  4,
);
await target.close();
for (const { id, fault } of recordings) if (fault !== undefined) console.error(`${id}: ${fault}`);
writeFileSync(new URL('../suites/coverage/coverage.json', import.meta.url), encodeCoverage(recordings));
const seen = new Set(recordings.flatMap(({ entities }) => entities));
console.log(`${recordings.length} requirements exercise ${seen.size} entities`);
process.exit(recordings.some(({ fault }) => fault !== undefined) ? 1 : 0);
