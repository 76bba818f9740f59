/** The `finding` entries of an expectations file: what the fuzzer is known to find. */
import { signatureFits } from '../../oracle/signature.js';
import type { Expectations } from './file.js';

export class ExpectedFindings {
  /** Indices of entries that a finding was known by. */
  private readonly met = new Set<number>();

  /** @param today `YYYY-MM-DD` in UTC */
  constructor(
    private readonly expectations: Expectations,
    private readonly today: string,
  ) {}

  /**
   * Whether some entry that has not expired knows a finding.
   * @param id of the finding, eight hexadecimal digits; a signature names either this or the title
   * @param title of it, for signatures with wildcards
   */
  knows(id: string, title: string): boolean {
    const entries = this.expectations.entries.flatMap((entry, i) => {
      const { kind, signature = '' } = entry;
      const fits = kind === 'finding' && (signature === id || signatureFits(signature, title));
      return fits ? [{ i, expired: this.isExpired(i) }] : [];
    });
    for (const { i } of entries) this.met.add(i);
    return entries.some(({ expired }) => !expired);
  }

  /** A line for each entry that no longer says how things are: nothing was found that it knows, or its day has passed. */
  outdated(): string[] {
    const { entries, file, lines } = this.expectations;
    return entries.flatMap(({ kind, signature, expires, reason }, i) => {
      if (kind !== 'finding') return [];
      const place = `${file}:${lines[i]}: entry ${i + 1} (${reason})`;
      const met = this.met.has(i);
      if (this.isExpired(i))
        return [`${place} has expired on ${expires}${met ? ', and what it knows was found' : ''}: look into it again`];
      return met ? [] : [`${place} was not met: nothing is known by '${signature}' in this campaign`];
    });
  }

  private isExpired(index: number): boolean {
    const { expires } = this.expectations.entries[index] ?? {};
    return expires !== undefined && expires < this.today;
  }
}
