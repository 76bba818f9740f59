/** When the guest is slowed down, and how much (commands.md §8.6, auto-converge). */
export class AutoConverge {
  #highRounds = 0;
  #periodBegan: number;
  #bytesThen = 0;
  /** Present throttle in percent; 0 for none. */
  percentage = 0;

  constructor(now: number) {
    this.#periodBegan = now;
  }

  /**
   * A dirty sync. Counts only if more than a second has passed since the last one that counted.
   * @param dirtied bytes newly dirtied
   * @param sent bytes sent so far
   * @param share dirtied bytes above this share of the sent ones are too many, 0 to 1
   */
  sync(
    now: number,
    dirtied: number,
    sent: number,
    limits: { readonly initial: number; readonly increment: number; readonly maximum: number; readonly share: number },
  ): void {
    if (now - this.#periodBegan <= 1000) return;
    const sentInPeriod = sent - this.#bytesThen;
    this.#periodBegan = now;
    this.#bytesThen = sent;
    if (dirtied <= sentInPeriod * limits.share) return;
    this.#highRounds++;
    if (this.#highRounds < 2) return;
    this.#highRounds = 0;
    this.percentage =
      this.percentage === 0 ? limits.initial : Math.min(this.percentage + limits.increment, limits.maximum);
  }
}
