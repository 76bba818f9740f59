/** The files of a finding beside its transcript: the case, the report, the script. */
import type { Attempt } from '../../campaign/attempt.js';
import { type CaseFile, stringifyCase } from '../../campaign/case-file.js';
import type { FolderFile } from '../../campaign/folder.js';
import { reproScript } from '../../campaign/repro/script.js';
import { findingReport } from '../../reports/finding.js';
import type { Target } from '../../targets/target.js';
import { shellLine } from '../command-line.js';

export interface FindingFilesOptions {
  readonly target: Target;
  /** The target as it was named on the command line. */
  readonly targetName: string;
  readonly config?: string;
}

export const findingFiles =
  ({ target, targetName, config }: FindingFilesOptions) =>
  (file: CaseFile, shown: Attempt | undefined): FolderFile[] => {
    const replay = shellLine([
      'qmpspec',
      'replay',
      'case.json',
      '--target',
      targetName,
      ...(config === undefined ? [] : ['--config', config]),
    ]);
    const { description } = target;
    return [
      { name: 'case.json', content: stringifyCase(file) },
      { name: 'report.md', content: findingReport({ file, transcript: shown?.transcript, description, replay }) },
      { name: 'repro.sh', content: reproScript(file, shown?.launches ?? new Map()), executable: true },
    ];
  };
