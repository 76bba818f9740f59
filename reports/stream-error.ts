/** What can be wrong with an event stream; each fault has its own class and its exit code. */
import { exitCodes } from '../oracle/exit-codes.js';

/** A stream from which no verdict may be drawn. The message is one line that names the place and the fault. */
export abstract class StreamError extends Error {
  abstract readonly exitCode: number;
}

abstract class BrokenStream extends StreamError {
  override readonly exitCode = exitCodes.brokenStream;
}

export class EmptyStream extends BrokenStream {
  override readonly name = 'EmptyStream';
  constructor() {
    super('the event stream is empty: the run did not even begin');
  }
}

export class MissingHeader extends BrokenStream {
  override readonly name = 'MissingHeader';
  constructor(line: number, found: string) {
    super(`line ${line}: the event stream begins with '${found}' and not with a header`);
  }
}

export class SecondHeader extends BrokenStream {
  override readonly name = 'SecondHeader';
  constructor(line: number) {
    super(`line ${line}: a second header; the streams of two runs were joined`);
  }
}

export class UnknownVersion extends BrokenStream {
  override readonly name = 'UnknownVersion';
  constructor(version: unknown, known: number) {
    super(`line 1: version ${String(version)} of the event stream is not known; this program reads version ${known}`);
  }
}

export class GarbageLine extends BrokenStream {
  override readonly name = 'GarbageLine';
  constructor(line: number, fault: string) {
    super(`line ${line}: ${fault}`);
  }
}

export class CutOffStream extends BrokenStream {
  override readonly name = 'CutOffStream';
  constructor(line: number) {
    super(`the event stream ends after line ${line} without a footer: the run was cut off`);
  }
}

export class AfterFooter extends BrokenStream {
  override readonly name = 'AfterFooter';
  constructor(line: number) {
    super(`line ${line}: something follows the footer`);
  }
}

/** Fewer, more or other requirements were reported than the header planned and the footer counted. */
export class PlanNotMet extends StreamError {
  override readonly name = 'PlanNotMet';
  override readonly exitCode = exitCodes.planNotMet;
}
