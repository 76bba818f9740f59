/** Those who wait for something that will have been received. */

export interface Wait<T> {
  /** What is waited for, as soon as it is there. Called after everything received. */
  readonly find: () => T | undefined;
  /** Why it cannot come any more; `undefined` while it can. */
  readonly lost: () => Error | undefined;
  /** Begins to count the time, after which it calls `late`. Returns how to stop counting. */
  readonly late: (late: (error: Error) => void) => () => void;
}

export class Waiters {
  private readonly checks = new Set<() => void>();

  /** Something was received, or nothing will be any more. */
  wake(): void {
    for (const check of [...this.checks]) check();
  }

  wait<T>({ find, lost, late }: Wait<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = () => {
        stop();
        this.checks.delete(check);
      };
      const fail = (error: Error) => {
        done();
        reject(error);
      };
      const check = () => {
        try {
          const found = find();
          if (found !== undefined) {
            done();
            resolve(found);
            return;
          }
        } catch (error) {
          // What is looked for may be described by a test that cannot cope with what came: that is for the one who waits.
          fail(error as Error);
          return;
        }
        const error = lost();
        if (error !== undefined) fail(error);
      };
      const stop = late(fail);
      this.checks.add(check);
    });
  }
}
