/** Ctrl-C: the first ends the run in an orderly way, the second at once. */
import { exitCodes } from '../oracle/exit-codes.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupt {
  private readonly controller = new AbortController();
  private readonly listener = () => {
    // The reaper ends every process of ours when this one exits.
    if (this.controller.signal.aborted) process.exit(exitCodes.interrupted);
    this.controller.abort();
    this.onFirst();
  };

  /** @param onFirst called once, at the first signal */
  constructor(private readonly onFirst: () => void) {
    for (const signal of signals) process.on(signal, this.listener);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Gives the signals back. */
  release(): void {
    for (const signal of signals) process.off(signal, this.listener);
  }
}
