/** A finding in full, as Markdown: what a bug report needs. */
import type { CaseFile } from '../campaign/case-file.js';
import type { Transcript } from '../protocol/transcript.js';
import { excerptOf } from './excerpt.js';
import { printable, shorten } from './printable.js';

export interface FindingDetails {
  readonly file: CaseFile;
  /** The run that showed it; absent when it never showed itself again. */
  readonly transcript: Transcript | undefined;
  /** The target's command line or address. */
  readonly description: string;
  /** The command that runs the case again. */
  readonly replay: string;
}

const line = (text: string): string => shorten(printable(text), 600);
const code = (text: string): string => `\`${line(text).replaceAll('`', "'")}\``;

export function findingReport({ file, transcript, description, replay }: FindingDetails): string {
  const { symptom, reproduced, scenario } = file;
  const rate = `${reproduced.times} of ${reproduced.of}`;
  const shrunk = file.stepsBefore > scenario.steps.length ? ` (shrunk from ${file.stepsBefore})` : '';
  const excerpt = transcript === undefined ? [] : excerptOf(transcript, symptom.entry);
  return [
    `# ${line(file.title)}`,
    '',
    `| | |`,
    `|---|---|`,
    `| finding | ${file.signature} |`,
    `| kind | ${symptom.kind}${symptom.defect === undefined ? '' : `, known as ${symptom.defect}`} |`,
    `| target | ${line(file.target)}: ${code(description)} |`,
    `| product | ${line(`${file.product} ${file.productVersion}`)}, judged as dialect ${file.dialect} |`,
    `| reproduced | ${rate}${reproduced.times === 0 ? ': seen once, and not again' : ''} |`,
    `| requirements | ${symptom.rows.join(', ') || 'none is named'} |`,
    `| steps | ${scenario.steps.length}${shrunk} |`,
    `| origin | ${file.origin.source}, seed ${file.origin.seed}, case ${file.origin.index} |`,
    '',
    '## Expected',
    '',
    ...symptom.expected.map((one) => `- ${line(one)}`),
    '',
    '## Got',
    '',
    `${line(symptom.got)}${symptom.state === '' ? '' : `, in the state: ${line(symptom.state)}`}`,
    ...(symptom.lastWords === undefined ? [] : ['', `Last words on standard error: ${code(symptom.lastWords)}`]),
    '',
    '## Steps',
    '',
    ...scenario.steps.map(
      (step, i) =>
        `${i + 1}. ${code(JSON.stringify(step, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))}`,
    ),
    '',
    ...(excerpt.length === 0 ? [] : ['## On the wire', '', '```', ...excerpt.map((one) => line(one)), '```', '']),
    '## Again',
    '',
    `    ${replay}`,
    '',
    'or, without this program, `./repro.sh` beside this file (a shell, socat and the target are all it needs).',
    '',
  ].join('\n');
}
