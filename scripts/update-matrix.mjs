// Notes anew which requirement exercises which entity of the baseline: runs them on the reference monitor, all of them or
// those that are selected. `npm run matrix`; the result is committed, and a test holds it against what requirements do.
import { writeFileSync } from 'node:fs';
import { record } from '../dist/suites/coverage/record.js';
import { encodeCoverage, recorded } from '../dist/suites/coverage/table.js';
import { chapters } from '../dist/suites/index.js';
import { select } from '../dist/suites/schedule.js';
import { referenceTarget } from '../dist/targets/executable.js';

const selected = select(chapters, process.argv.slice(2)).map(({ requirement }) => requirement);
const target = referenceTarget();
const recordings = await record(target, selected, 4);
await target.close();
for (const { id, fault } of recordings) if (fault !== undefined) console.error(`${id}: ${fault}`);
const fresh = new Map(recordings.map((one) => [one.id, one]));
const all = chapters.flatMap(({ requirements }) => requirements.map(({ id }) => id));
const merged = all.map((id) => fresh.get(id) ?? { id, entities: recorded(id) });
writeFileSync(new URL('../suites/coverage/coverage.json', import.meta.url), encodeCoverage(merged));
const seen = new Set(merged.flatMap(({ entities }) => entities));
console.log(`${all.length} requirements exercise ${seen.size} entities`);
process.exit(recordings.some(({ fault }) => fault !== undefined) ? 1 : 0);
