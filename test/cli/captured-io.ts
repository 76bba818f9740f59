/** Where a command writes to in a test: kept as text, 80 columns wide, without colours. */
import pc from 'picocolors';
import type { Io } from '../../cli/io.js';

export interface CapturedIo {
  readonly io: Io;
  /** What was written so far. */
  readonly text: { out: string; err: string };
}

/** @param terminal whether it claims to be one */
export function capturedIo(terminal = false): CapturedIo {
  const text = { out: '', err: '' };
  const to = (name: 'out' | 'err') => ({
    write: (part: string) => {
      text[name] += part;
    },
    isTTY: terminal,
    columns: () => 80,
    colors: pc.createColors(false),
  });
  return { io: { out: to('out'), err: to('err'), exitCode: 0 }, text };
}
