/** What was sent in bytes of the caller's choice: who comes next must not meet what is left of it. */
export class RawSends {
  /** Not every message had an id: replies may have none, also such as reach the next client (QMP-CONN-08). */
  any = false;
  /** Descriptors went with some of it, which the connection may still hold. */
  private descriptors = false;
  /**
   * How often, and how often of these a fence behind them was answered: until then what is left of them may be the beginning of a
   * message, or wait for an answer.
   */
  private times = 0;
  private answered = 0;

  bytes(): void {
    this.any = true;
    this.times++;
  }

  withDescriptors(): void {
    this.any = true;
    this.descriptors = true;
  }

  /** A fence is sent now; the result is to be called when it is answered. */
  fence(): () => void {
    const behind = this.times;
    return () => {
      this.answered = behind;
    };
  }

  /** Whether nothing of it is left. @param fences whether fences tell of all that was sent */
  nothingLeft(fences: boolean): boolean {
    return !this.descriptors && (this.times === 0 || (this.answered === this.times && fences));
  }
}
