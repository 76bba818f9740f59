/** What is known of statuses that a target stays in for good. */
export interface Patience {
  /** Milliseconds that a wait for another status goes on while this one stays. */
  of(query: string, shown: string): number;
  /** A wait was over, and this was still shown. */
  ranOut(query: string, shown: string): void;
}
