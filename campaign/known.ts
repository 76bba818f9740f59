/** Findings that are known already and do not fail a campaign: a file with one on each line. */
import { readFileSync } from 'node:fs';
import type { Symptom } from './symptom.js';
import { signature } from './symptom.js';

export class KnownError extends Error {
  override readonly name = 'UsageError';
}

/** Ids of findings, and of known defects. */
export class KnownFindings {
  private readonly ids: ReadonlySet<string>;

  constructor(ids: Iterable<string> = []) {
    this.ids = new Set(ids);
  }

  /** Blank lines, and what follows a #, count for nothing. @throws KnownError naming file and line */
  static read(file: string): KnownFindings {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new KnownError(`${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`);
    }
    const ids: string[] = [];
    for (const [i, line] of text.split('\n').entries()) {
      const id = line.replace(/#.*/, '').trim();
      if (id === '') continue;
      if (!/^([0-9a-f]{8}|(MIG|QMP)-[A-Z]+-\d+)$/.test(id)) {
        throw new KnownError(
          `${file}, line ${i + 1}: '${id}' is neither the id of a finding (8 hexadecimal digits) nor that of a known defect`,
        );
      }
      ids.push(id);
    }
    return new KnownFindings(ids);
  }

  /** A defect of the target's release is known by itself. */
  has(symptom: Symptom): boolean {
    return symptom.defect !== undefined || this.ids.has(signature(symptom));
  }
}
