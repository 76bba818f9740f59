/** The command that repeats a run, in words that a shell takes as they stand. */

/** Quotes a word for a POSIX shell where it must be. */
const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');

export interface Repeated {
  readonly target: string;
  readonly config?: string;
  readonly dialect?: string;
  readonly jobs?: number;
  readonly seed: number;
  readonly skip?: readonly string[];
  readonly strict?: boolean;
  readonly strictDesc?: boolean;
  readonly expect?: string;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly failFast?: boolean;
  readonly selectors: readonly string[];
}

/** Options at their default are left out; `id` narrows the run to one requirement. */
export function repeatCommand(run: Repeated, id?: string): string {
  const words = ['qmpspec', 'run'];
  const option = (name: string, value: string | number | undefined) => {
    if (value !== undefined) words.push(`--${name}`, String(value));
  };
  option('target', run.target === 'reference' ? undefined : run.target);
  option('config', run.config);
  option('dialect', run.dialect);
  option('seed', run.seed === 0 ? undefined : run.seed);
  if (run.strictDesc) words.push('--strict-desc');
  if (run.strict) words.push('--strict');
  option('expect', run.expect);
  if (id !== undefined) return shellLine([...words, id]);
  option('jobs', run.jobs);
  if (run.shard !== undefined) option('shard', `${run.shard.index}/${run.shard.count}`);
  if (run.failFast) words.push('--fail-fast');
  for (const selector of run.skip ?? []) option('skip', selector);
  return shellLine([...words, ...run.selectors]);
}
