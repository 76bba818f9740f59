// tsc emits only JavaScript; the QAPI definitions and published JSON schemas are read at run time from beside the
// code, so they are copied to the same place under dist/.
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

const houses = [
  'qapi',
  'protocol',
  'reference',
  'targets',
  'generators',
  'oracle',
  'suites',
  'campaign',
  'reports',
  'cli',
];
for (const house of houses.filter((name) => existsSync(name))) {
  for (const entry of readdirSync(house, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && ['.qapi', '.json'].includes(extname(entry.name))) {
      const path = join(entry.parentPath, entry.name);
      cpSync(path, join('dist', path));
    }
  }
}
