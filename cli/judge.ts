/** `qmpspec judge`: a recorded transcript against today's model. */
import { closeSync, openSync } from 'node:fs';
import { Command } from 'commander';
import { exitCodes } from '../oracle/exit-codes.js';
import { type Judgement, judgeTranscript } from '../oracle/judge.js';
import { asBuiltIn, judgedAs, releaseIn } from '../oracle/release.js';
import { stringifyJson } from '../protocol/json.js';
import { linesIn, piecesOf } from '../protocol/lines.js';
import { Transcript, TranscriptError } from '../protocol/transcript.js';
import { type Dialect, type DialectName, dialects } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';
import { renderJudgement } from '../reports/judgement.js';
import { whyUnreadable } from '../targets/file-errors.js';
import { UsageError } from './failures.js';
import type { Io } from './io.js';
import { dialectOption } from './options.js';

export function judgeCommand(io: Io): Command {
  return new Command('judge')
    .description('judge a recorded transcript with the present model')
    .argument('<transcript>', 'JSON Lines file, or - for standard input')
    .addOption(dialectOption())
    .option('--strict-desc', 'compare error texts too', false)
    .option('--json', 'print the judgement as JSON', false)
    .action((file: string, options: { dialect?: DialectName; strictDesc: boolean; json: boolean }) => {
      const transcript = readTranscript(file);
      const own = judgedAs(releaseIn(transcript.entries));
      const asBuilt = (one: Dialect) => asBuiltIn(transcript.entries, one);
      const dialect = asBuilt(options.dialect === undefined ? own.dialect : dialects[options.dialect]);
      const readings = options.dialect === undefined ? own.readings.map(asBuilt) : [];
      const judgement = judgeTranscript(transcript, {
        dialect,
        readings,
        schema: loadSchema(dialect.name),
        defects: own.defects,
        strictDesc: options.strictDesc,
      });
      io.out.write(
        options.json ? `${stringifyJson(judgement)}\n` : renderJudgement(judgement, transcript, io.out.colors),
      );
      io.exitCode = judgementExit(judgement);
    });
}

/** @throws UsageError naming the file and the fault */
export function readTranscript(file: string): Transcript {
  let opened: number | undefined;
  try {
    if (file !== '-') opened = openSync(file, 'r');
    return Transcript.fromLines(linesIn(piecesOf(opened ?? 0)));
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof TranscriptError ? error.message : whyUnreadable(error)}`);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

export function judgementExit({ kind }: Judgement): number {
  if (kind === 'divergence') return exitCodes.divergences;
  return kind === 'inconclusive' ? exitCodes.inconclusive : exitCodes.conforms;
}
