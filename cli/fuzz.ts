/** `qmpspec fuzz`: a campaign of generated scenarios against a target. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Campaign } from '../campaign/campaign.js';
import { Corpus } from '../campaign/corpus.js';
import type { CrewOrders } from '../campaign/crew/messages.js';
import type { CampaignEvent, Standing } from '../campaign/events.js';
import { StorageError } from '../campaign/folder.js';
import { KnownFindings } from '../campaign/known.js';
import { type CampaignHeader, campaignVersion, readHeader, Store } from '../campaign/store.js';
import { askingSources, chooseSources, sources } from '../generators/sources.js';
import { exitCodes } from '../oracle/exit-codes.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { FuzzScreen } from '../reports/fuzz-terminal.js';
import { loadExpectations } from '../suites/expectations/file.js';
import { ExpectedFindings } from '../suites/expectations/findings.js';
import { dayOf } from '../suites/expectations/match.js';
import { loadConfig } from '../targets/config.js';
import { factsOf, knowsStream, type TargetFacts } from '../targets/facts.js';
import { isOurMachine, ourMachine } from '../targets/machine.js';
import { usualPageSize } from '../targets/page-size.js';
import { resolveTarget } from '../targets/resolve.js';
import { UsageError } from './failures.js';
import { showCoverage } from './fuzz/coverage.js';
import { emitScenarios } from './fuzz/emit.js';
import { findingFiles } from './fuzz/finding-files.js';
import { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { addTargetOptions, gatherAll, type TargetOptions, wholeNumber } from './options.js';

interface FuzzOptions extends TargetOptions {
  readonly time?: number;
  readonly runs?: number;
  readonly seed?: number;
  readonly jobs?: number;
  readonly only?: readonly string[];
  readonly corpus?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly emit?: string;
  readonly known?: string;
  readonly expect?: string;
  readonly shrink: number;
  readonly fresh?: true;
  readonly untilFirst?: true;
  readonly strict?: true;
  readonly strictDesc?: true;
  readonly quiet?: true;
  readonly coverage?: string | true;
}

/** A scenario mostly waits for its target: so many side by side keep a core busy. */
const usualJobs = 6;

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90`, `90s`, `10m`, `8h`, `2d` → milliseconds. */
function timeSpan(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text) ?? [];
  const value = Number(number) * (units[unit] as number);
  if (number === undefined || value <= 0) {
    throw new InvalidArgumentError('It must be a time span such as 90, 90s, 10m, 8h or 2d.');
  }
  return value;
}

function coverageFormat(text: string): string {
  if (['table', 'json', 'svg'].includes(text)) return text;
  throw new InvalidArgumentError("Choose 'table', 'json' or 'svg'.");
}

export function fuzzCommand(io: Io): Command {
  return addTargetOptions(new Command('fuzz'))
    .description('hunt for the sequences with which a target does what it must not')
    .option('--time <span>', 'how long: 90s, 10m, 8h, 2d (default: 1m, or no limit with --runs)', timeSpan)
    .option('--runs <n>', 'how many cases', wholeNumber(1, 2 ** 31 - 1))
    .option('--seed <n>', 'what the cases are drawn from (default: by chance)', wholeNumber(0, 2 ** 32 - 1))
    .option('-j, --jobs <n>', `cases side by side (default: ${usualJobs}; an address gets 1)`, wholeNumber(1, 64))
    .option('--only <source>', 'draw from this source of cases; several with commas', gatherAll)
    .option(
      '--out <dir>',
      'folder for findings, log and corpus; an earlier campaign in it goes on (default: a new one in qmpspec-fuzz)',
    )
    .option('--resume <dir>', 'go on with the campaign in this folder, with its target and seed')
    .option('--corpus <dir>', 'keep the corpus there, to share it between campaigns (default: in the folder of --out)')
    .option('--known <file>', 'ids of findings and defects that do not fail the campaign, one on each line')
    .option(
      '--expect <file>',
      'expectations file; its findings do not fail the campaign, and outdated entries are told',
    )
    .option('--shrink <span>', 'time to make one finding smaller', timeSpan, 30_000)
    .option('--fresh', 'a new process for each case')
    .option('--until-first', 'end at the first finding that is not known')
    .option(
      '--coverage [format]',
      'show at the end what was reached: table (default), json, or svg (written to the folder)',
      coverageFormat,
    )
    .option('--emit <dir>', 'only write the scenarios of --runs cases there; the target is only asked what it is')
    .option('--strict', 'what did not show itself again fails the campaign, too')
    .option('--strict-desc', 'compare the texts of errors too, not only their class')
    .option('-q, --quiet', 'show only findings and the summary')
    .addHelpText(
      'after',
      `
Sources of cases:
${sources.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}

Examples:
  qmpspec fuzz --target qemu --time 10m --out campaign     ten minutes; again to go on
  qmpspec fuzz --target qemu --runs 500 --seed 7           always the same cases
  qmpspec replay campaign/findings/1f2e3d4c/case.json      one finding again`,
    )
    .action(async (options: FuzzOptions) => {
      io.exitCode = await fuzz(options, io);
    });
}

const spared =
  'it runs already and is left as it was found: only what asks, and what every monitor refuses, is tried on it';

const unreadStream = ({ version, dialect }: TargetFacts): string =>
  `the stream of ${version || 'such a release'} is not known here: what goes over a migration channel is not held against dialect ${dialect.name}`;

async function fuzz(options: FuzzOptions, io: Io): Promise<number> {
  const earlier = resumed(options);
  const name = earlier?.target ?? options.target;
  const { target, dialect } = resolveTarget(name, loadConfig(options.config));
  const attached = target.lacks('exit') !== undefined;
  const named = chooseSources(options.only ?? earlier?.only ?? []);
  const chosen = attached ? askingSources(named) : named;
  if (chosen.length === 0) {
    throw new UsageError(
      `${name} runs already and must be left as it was found: of the sources of cases it can take ${askingSources(
        sources,
      )
        .map((source) => source.name)
        .join(', ')}`,
    );
  }
  const expected =
    options.expect === undefined
      ? undefined
      : new ExpectedFindings(loadExpectations(options.expect), dayOf(new Date()));
  const known =
    options.known === undefined ? new KnownFindings([], expected) : KnownFindings.read(options.known, expected);
  const seed = earlier?.seed ?? options.seed ?? Math.floor(Math.random() * 2 ** 31);
  // Standard output is kept for what another program reads.
  const stream = options.coverage === 'json' ? io.err : io.out;
  const screen = new FuzzScreen(stream.write, {
    colors: stream.colors,
    live: stream.isTTY,
    columns: stream.columns,
    quiet: options.quiet ?? false,
  });
  const interrupt = new Interrupt(() => {
    io.err.write('\nqmpspec: stopping after what is running now; Ctrl-C again stops at once\n');
  });
  try {
    const facts = await factsOf(target, options.dialect ?? dialect);
    if (facts.pageSize !== undefined && facts.pageSize !== usualPageSize) {
      throw new UsageError(
        `${name} has pages of ${facts.pageSize} bytes; the peers of a campaign know pages of ${usualPageSize}: run the suite on it ('qmpspec run'), which says what of it applies`,
      );
    }
    if (!isOurMachine(facts)) {
      throw new UsageError(
        `${name} is started as a ${facts.machine}; the peers of a campaign send streams of a ${ourMachine}: run the suite on it ('qmpspec run'), which says what of it applies`,
      );
    }
    if (options.emit !== undefined) {
      const runs = options.runs ?? 100;
      emitScenarios(options.emit, { seed, runs, sources: chosen, facts });
      io.out.write(`${runs} scenarios of seed ${seed} are in ${options.emit}\n`);
      return exitCodes.conforms;
    }
    const header: CampaignHeader = { campaign: campaignVersion, target: name, seed, only: options.only ?? [] };
    const folder = options.resume ?? options.out ?? defaultFolder();
    const store = Store.open(folder, header);
    const corpus = new Corpus(options.corpus ?? store.corpusFolder);
    const jobs = target.lacks('start') === undefined ? (options.jobs ?? usualJobs) : 1;
    const time = options.time ?? (options.runs === undefined ? 60_000 : undefined);
    const campaign = new Campaign({
      target,
      facts,
      seed: store.header.seed,
      jobs,
      ...(time === undefined ? {} : { time }),
      ...(options.runs === undefined ? {} : { runs: options.runs }),
      sources: chosen,
      corpus,
      known,
      store,
      strictDesc: options.strictDesc ?? false,
      shrinkBudget: options.shrink,
      untilFirst: options.untilFirst ?? false,
      reuse: options.fresh !== true,
      files: findingFiles({
        target,
        targetName: name,
        ...(options.config === undefined ? {} : { config: options.config }),
      }),
      sink: (event: CampaignEvent) => screen.take(event),
      signal: interrupt.signal,
      ...(target.lacks('start') === undefined ? { crew: ordersOf(name, options, dialect) } : {}),
    });
    screen.take({
      event: 'begin',
      target: name,
      description: target.description,
      product: facts.product,
      version: facts.version,
      dialect: facts.dialect.name,
      seed: store.header.seed,
      jobs,
      folder,
      resumed: store.resumed,
    });
    const stream = knowsStream(facts) ? undefined : unreadStream(facts);
    for (const text of [
      attached ? spared : undefined,
      facts.dialectNote,
      stream,
      facts.schemaNote,
      ...corpus.unreadable,
    ]) {
      if (text !== undefined) screen.take({ event: 'note', text });
    }
    const exitCode = await runToEnd(campaign, screen, interrupt, options, expected, io);
    if (options.coverage !== undefined) {
      showCoverage(options.coverage === true ? 'table' : options.coverage, campaign.coverage, facts, folder, io);
    }
    return exitCode;
  } finally {
    interrupt.release();
    await target.close();
  }
}

/** How other processes find the same target. */
function ordersOf(target: string, options: FuzzOptions, dialect: DialectName | undefined): CrewOrders {
  const { config, strictDesc = false, fresh } = options;
  const chosen = options.dialect ?? dialect;
  return {
    target,
    strictDesc,
    reuse: fresh !== true,
    ...(config === undefined ? {} : { config }),
    ...(chosen === undefined ? {} : { dialect: chosen }),
  };
}

async function runToEnd(
  campaign: Campaign,
  screen: FuzzScreen,
  interrupt: Interrupt,
  options: FuzzOptions,
  expected: ExpectedFindings | undefined,
  io: Io,
): Promise<number> {
  const end = (): Standing => {
    const { standing } = campaign;
    screen.take({ event: 'end', standing, interrupted: interrupt.signal.aborted });
    return standing;
  };
  try {
    await campaign.run();
  } catch (error) {
    end();
    // What a full disk could not take is still worth having.
    if (error instanceof StorageError && error.content !== '') io.out.write(`${error.content}\n`);
    throw error;
  }
  const standing = end();
  // Of a campaign that was cut short nobody knows what it would have met.
  const outdated = interrupt.signal.aborted ? [] : (expected?.outdated() ?? []);
  for (const text of outdated) screen.take({ event: 'note', text });
  if (interrupt.signal.aborted) return exitCodes.interrupted;
  if (standing.findings > 0) return exitCodes.divergences;
  if (standing.unconfirmed > 0 || standing.open > 0)
    return options.strict ? exitCodes.divergences : exitCodes.inconclusive;
  if (standing.cases === 0) return exitCodes.nothingSelected;
  return outdated.length > 0 ? exitCodes.expectations : exitCodes.conforms;
}

/** The campaign that `--resume` names. @throws UsageError */
function resumed({ resume, out }: FuzzOptions): CampaignHeader | undefined {
  if (resume === undefined) return out === undefined ? undefined : readHeader(out);
  if (out !== undefined) throw new UsageError('--resume and --out both name a folder: leave one away');
  const header = readHeader(resume);
  if (header === undefined)
    throw new UsageError(`${resume} holds no campaign to go on with: begin one with --out ${resume}`);
  return header;
}

/** A folder of its own, by the time. */
function defaultFolder(): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15);
  for (let n = 1; ; n++) {
    const folder = join('qmpspec-fuzz', n === 1 ? stamp : `${stamp}-${n}`);
    if (!existsSync(folder)) return folder;
  }
}
