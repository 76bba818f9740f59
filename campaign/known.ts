/** Findings that are known already and do not fail a campaign: a file with one on each line. */
import { readFileSync } from 'node:fs';
import type { ExpectedFindings } from '../suites/expectations/findings.js';
import { whyUnreadable } from '../targets/file-errors.js';
import { type Symptom, signature, titleOf } from './symptom.js';

export class KnownError extends Error {
  override readonly name = 'UsageError';
}

/** Ids of findings, and of known defects. */
export class KnownFindings {
  private readonly ids: ReadonlySet<string>;

  /** @param expected findings that an expectations file knows, beside those */
  constructor(
    ids: Iterable<string> = [],
    private readonly expected?: ExpectedFindings,
  ) {
    this.ids = new Set(ids);
  }

  /** Blank lines, and what follows a #, count for nothing. @throws KnownError naming file and line */
  static read(file: string, expected?: ExpectedFindings): KnownFindings {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new KnownError(`${file}: ${whyUnreadable(error)}`);
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
    return new KnownFindings(ids, expected);
  }

  /** A defect of the target's release is known by itself. */
  has(symptom: Symptom): boolean {
    const id = signature(symptom);
    // Asked in any case: what an entry knows is met, whoever else knows it.
    const expected = this.expected?.knows(id, titleOf(symptom)) ?? false;
    return symptom.defect !== undefined || this.ids.has(id) || expected;
  }
}
