/** The part of tap-junit that we call; it ships no types. */
declare module 'tap-junit/src/serialize.js' {
  import type { FinalResults, Result } from 'tap-parser';

  /** JUnit XML of what tap-parser found. */
  export default function serialize(
    cases: readonly (Result & { readonly comments?: string })[],
    results: FinalResults,
    options: { readonly name: string; readonly classname: string; readonly pretty?: boolean },
  ): string;
}
