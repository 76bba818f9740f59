/**
 * `npm run selftest`: proves that the suite notices. Each planted fault must fail a requirement, no benign variation may fail
 * one, and with --requirements each requirement must fail on some fault.
 */
import { Command } from 'commander';
import { faults, UnknownFault, variations } from '../reference/faults/index.js';
import { canBeTold } from '../test/lying-monitors/planted-lie.js';
import { Crew } from './crew.js';
import { type Kill, probed } from './hunt.js';
import { remember } from './memory.js';
import { proveRequirements } from './requirements.js';
import { huntAll } from './table.js';
import { varyAll } from './vary.js';

interface Options {
  readonly only?: string;
  readonly jobs: string;
  readonly json?: true;
  readonly shard?: string;
  readonly record?: true;
  readonly requirements?: true;
  readonly search?: string;
  readonly faults: boolean;
  readonly variations: boolean;
  readonly whole?: true;
  readonly qemu?: string;
}

function chosen(names: readonly string[], { only, shard }: Options): string[] {
  const wanted = only === undefined ? [...names] : only.split(',').filter((name) => names.includes(name));
  if (shard === undefined) return wanted;
  const [index = 1, count = 1] = shard.split('/').map(Number);
  if (!(index >= 1 && index <= count)) throw new Error(`--shard ${shard}: write I/N with 1 <= I <= N`);
  return wanted.filter((_, i) => i % count === index - 1);
}

async function main(options: Options): Promise<void> {
  const out = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const name of options.only?.split(',') ?? []) {
    if (!faults.has(name) && !variations.has(name)) throw new UnknownFault(name, 'fault');
  }
  const crew = new Crew(Number(options.jobs));
  const table = options.json ? () => undefined : out;
  try {
    let good = true;
    const result: Record<string, unknown> = {};
    if (options.requirements) {
      const { proven, unproven, seen } = await proveRequirements(crew, options.search, table);
      if (options.record) remember(seen, new Set(faults.keys()));
      Object.assign(result, { proven, unproven });
    } else {
      if (options.faults) {
        // Kept one by one: a long run that is interrupted was not in vain.
        const keep = ({ fault, requirement }: Kill): void => {
          if (options.record && requirement !== undefined && requirement !== probed)
            remember({ [fault]: [requirement] }, new Set(faults.keys()));
        };
        // Between the suite and a QEMU only what is said can be changed.
        const plantable = [...faults].flatMap(([name, fault]) =>
          options.qemu === undefined || canBeTold(fault) ? [name] : [],
        );
        const kills = await huntAll(crew, chosen(plantable, options), options.qemu, table, keep);
        good &&= kills.every(({ requirement }) => requirement !== undefined);
        result.faults = kills;
      }
      if (options.variations) {
        const flags = await varyAll(
          crew,
          chosen([...variations.keys()], options),
          { whole: options.whole ?? false, qemu: options.qemu },
          table,
        );
        good &&= flags.every(({ flagged }) => flagged.length === 0);
        result.variations = flags;
      }
    }
    if (options.json) out(JSON.stringify(result, null, 2));
    process.exitCode = good ? 0 : 1;
  } finally {
    crew.close();
  }
}

await new Command('selftest')
  .description('the suite against each planted fault and each benign variation')
  .option('--only <names>', 'faults and variations, with commas between')
  .option('-j, --jobs <n>', 'processes', '2')
  .option('--shard <i/n>', 'only the i-th of n parts')
  .option('--json', 'one JSON object instead of the table')
  .option('--no-faults', 'variations only')
  .option('--no-variations', 'faults only')
  .option('--whole', 'the whole suite on every variation')
  .option('--requirements', 'show instead which requirements fail on a fault, and list those that fail on none')
  .option('--search <faults>', 'with --requirements: try these faults on the requirements that are left (* for all)')
  .option('--qemu <program>', 'plant between the suite and this QEMU what can be planted there')
  .option('--record', 'keep what was seen in selftest/kills.json, which orders the next run')
  .action(main)
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`selftest: ${error.message}\n`);
    process.exitCode = 2;
  });
