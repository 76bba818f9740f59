/**
 * `npm run selftest`: proves that the suite notices. Each planted fault must fail a requirement, no benign variation may fail
 * one, and with --requirements each requirement must fail on some fault.
 */
import { Command } from 'commander';
import { shardOption, wholeNumber } from '../cli/options.js';
import { faults, UnknownFault, variations } from '../reference/faults/index.js';
import { Crew } from './crew.js';
import { type Kill, probed } from './hunt.js';
import { remember } from './memory.js';
import { plantable, wrongNamed } from './planted.js';
import { proveRequirements } from './requirements.js';
import { buildOf, Results } from './results.js';
import { huntAll, type Round } from './table.js';
import { varyAll } from './vary.js';

interface Options {
  readonly only?: string;
  readonly jobs: number;
  readonly json?: true;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly seconds?: number;
  readonly results?: string;
  readonly anyBuild?: true;
  readonly record?: true;
  readonly requirements?: true;
  readonly faults: boolean;
  readonly variations: boolean;
  readonly lies?: true;
  readonly qemu?: string;
}

/** Exit status when nothing is wrong so far, and not all has been tried. */
const unfinished = 3;

function chosen(names: readonly string[], { only, shard }: Options): string[] {
  const wanted = only === undefined ? [...names] : only.split(',').filter((name) => names.includes(name));
  if (shard === undefined) return wanted;
  return wanted.filter((_, i) => i % shard.count === shard.index - 1);
}

async function main(options: Options): Promise<void> {
  const out = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const name of options.only?.split(',') ?? []) {
    if (wrongNamed(name) === undefined && !variations.has(name)) throw new UnknownFault(name, 'fault');
  }
  const results = new Results(options.results, buildOf(), options.anyBuild);
  const table = options.json ? () => undefined : out;
  if (results.outdated > 0) table(`${results.outdated} results of other builds do not count (--any-build takes them)`);
  const crew = new Crew(options.jobs, options.seconds);
  const round: Round = { crew, results, qemu: options.qemu, out: table };
  try {
    const result = options.requirements
      ? await proveRequirements(round, options.record ?? false)
      : await proveFaults(round, options);
    if (options.json) out(JSON.stringify(result, null, 2));
    if (result.left.length > 0)
      table(`not finished: ${result.left.length} are left; the same command goes on with them`);
    process.exitCode = result.wrong.length > 0 ? 1 : result.left.length > 0 ? unfinished : 0;
  } finally {
    crew.close();
  }
}

async function proveFaults(round: Round, options: Options) {
  const keep = ({ fault, requirement }: Kill): void => {
    if (options.record && requirement !== undefined && requirement !== probed && faults.has(fault))
      remember({ [fault]: [requirement] }, new Set(faults.keys()));
  };
  const { kills, survivors, left } = options.faults
    ? await huntAll(round, chosen(plantable(round.qemu !== undefined, options.lies), options), keep)
    : { kills: [], survivors: [], left: [] };
  const varied = options.variations
    ? await varyAll(round, chosen([...variations.keys()], options))
    : { flags: [], left: [] };
  const flagged = varied.flags.filter((one) => one.flagged.length > 0).map(({ variation }) => variation);
  return {
    wrong: [...survivors, ...flagged],
    left: [...left, ...varied.left],
    ...(options.faults ? { faults: kills } : {}),
    ...(options.variations ? { variations: varied.flags } : {}),
  };
}

await new Command('selftest')
  .description('the suite against each planted fault and each benign variation')
  .option('--only <names>', 'faults and variations, with commas between')
  .option('-j, --jobs <n>', 'processes', wholeNumber(1, 64), 2)
  .option('--shard <i/n>', 'only the i-th of n parts', shardOption)
  .option('--json', 'one JSON object instead of the table')
  .option('--no-faults', 'variations only')
  .option('--no-variations', 'faults only')
  .option('--results <file>', 'keep what was shown here, and do not show again what stands here')
  .option(
    '--seconds <n>',
    'begin nothing more after so many seconds (exit status 3 when something is left)',
    wholeNumber(1, 2 ** 31 - 1),
  )
  .option('--any-build', 'count results that another build of this project has shown')
  .option('--requirements', 'show instead that each requirement fails on a fault, and list those that fail on none')
  .option('--qemu <program>', 'plant between the suite and this QEMU what can be planted there')
  .option('--lies', 'the lies that are told between the suite and a QEMU, before the reference: a quick first look')
  .option('--record', 'keep what was seen in selftest/*.json, which order the next run')
  .action(main)
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`selftest: ${error.message}\n`);
    process.exitCode = 2;
  });
