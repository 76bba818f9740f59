/** What a command sees of the world, so that tests can put another in its place. */
import pc from 'picocolors';
import type { Colors } from '../reports/terminal.js';

export interface Stream {
  readonly write: (text: string) => void;
  readonly isTTY: boolean;
  /** Width of the terminal, asked for anew each time. */
  readonly columns: () => number;
  readonly colors: Colors;
}

export interface Io {
  readonly out: Stream;
  readonly err: Stream;
  /** Exit code of the command, when it is not 0. */
  exitCode: number;
}

/** The process's own streams. A reader that goes away (`| head`) ends the output, not the run. */
export function processIo(): Io {
  return { out: streamOf(process.stdout), err: streamOf(process.stderr), exitCode: 0 };
}

function streamOf(stream: NodeJS.WriteStream): Stream {
  let broken = false;
  stream.on('error', () => {
    broken = true;
  });
  return {
    write: (text) => {
      if (!broken) stream.write(text);
    },
    isTTY: stream.isTTY === true,
    columns: () => stream.columns ?? 80,
    colors: pc.createColors(wantsColor(stream.isTTY === true, process.env)),
  };
}

/** no-color.org and force-color.org; otherwise colours are for terminals that know them. */
export function wantsColor(isTTY: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  return isTTY && env.TERM !== 'dumb';
}
