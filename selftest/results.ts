/**
 * What has been shown so far, in a file of one JSON object a line: a run that was stopped goes on where it was, and the parts
 * of several machines come together by putting their files one behind the other.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is shown of one fault, one lie, one variation, or one requirement. */
export interface Result {
  readonly kind: 'kill' | 'flags' | 'proof';
  /** Against what: `reference`, or the program of a QEMU. */
  readonly subject: string;
  readonly name: string;
  /** The build of this project that showed it. */
  readonly build: string;
}

/** Folders whose code a result depends on. */
const parts = ['protocol', 'qapi', 'reference', 'targets', 'generators', 'oracle', 'suites', 'selftest'];

/** Tells builds apart: another line of code is another build. */
export function buildOf(): string {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const hash = createHash('sha256');
  for (const part of [...parts, 'test/lying-monitors']) {
    const files = readdirSync(join(root, part), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.(js|ts)$/.test(name)).sort()) {
      hash.update(`${part}/${file}\n`).update(readFileSync(join(root, part, file)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

export class Results {
  private readonly known = new Map<string, Result>();
  /** Results of other builds, which do not count. */
  readonly outdated: number = 0;

  /**
   * @param file nothing is kept without one
   * @param anyBuild results of other builds count as well
   * @throws Error when the file holds something else
   */
  constructor(
    private readonly file: string | undefined,
    private readonly build: string,
    anyBuild = false,
  ) {
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n');
    // A run that was killed may have left a piece of a line at the end.
    if (lines.pop() !== '') appendFileSync(file, '\n');
    for (const [index, line] of lines.entries()) {
      const result = parsed(line);
      if (result === undefined) {
        if (line.startsWith('{"kind"')) continue;
        throw new Error(`${file}:${index + 1} is not a result of a selftest: name another file, or remove it`);
      }
      if (anyBuild || result.build === build) this.known.set(keyOf(result), result);
      else this.outdated++;
    }
  }

  find<R extends Result>(kind: R['kind'], subject: string, name: string): R | undefined {
    return this.known.get(keyOf({ kind, subject, name })) as R | undefined;
  }

  /** Kept at once: a long run that is interrupted was not in vain. */
  add<R extends Result>(result: Omit<R, 'build'>): void {
    const whole = { ...result, build: this.build } as unknown as R;
    this.known.set(keyOf(whole), whole);
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(whole)}\n`);
  }
}

const keyOf = ({ kind, subject, name }: Pick<Result, 'kind' | 'subject' | 'name'>): string =>
  [kind, subject, name].join('\t');

function parsed(line: string): Result | undefined {
  try {
    const value = JSON.parse(line) as Partial<Result>;
    return [value.kind, value.subject, value.name, value.build].every((one) => typeof one === 'string')
      ? (value as Result)
      : undefined;
  } catch {
    return undefined;
  }
}
