/** How the reference ends with bytes of a generator, in this process and without a monitor. */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { createGuestRam } from '../../reference/ram/guest-ram.js';
import { RamLoader } from '../../reference/stream/ram-loader.js';
import { ReturnPathError, ReturnPathReader } from '../../reference/stream/return-path-reader.js';
import { StreamError } from '../../reference/stream/stream-error.js';
import { StreamReader } from '../../reference/stream/stream-reader.js';
import type { ReturnPathMode } from './small-return-path.js';
import type { SmallStream } from './small-stream.js';

/** An end, and the error that it came to, if any. */
export interface End {
  readonly status: StreamReader['status'];
  readonly error?: StreamError | ReturnPathError;
}

/** Capabilities that a destination needs for a mode. */
export const capabilitiesFor = (mode: SmallStream['mode']): readonly string[] =>
  mode === 'postcopy' ? ['postcopy-ram'] : mode === 'compress' ? ['compress'] : [];

/** Loads a stream into `ramBytes` of RAM. @throws what is no error of the stream */
export function loadStream(dialect: Dialect, ramBytes: number, mode: SmallStream['mode'], bytes: Buffer): End {
  const loader = new RamLoader(createGuestRam([{ name: 'ram', size: ramBytes }]));
  const local = {
    machineName: 'none',
    blocks: [{ name: 'ram', length: ramBytes }],
    capabilities: new Set(capabilitiesFor(mode)),
    knownCapabilities: dialect.migration.capabilities,
  };
  const reader = new StreamReader(
    { rules: dialect.stream, local },
    {
      ramPage: (...page) => loader.ramPage(...page),
      command: ({ name, block, ranges }) => {
        if (name === 'POSTCOPY_RAM_DISCARD' && block !== undefined) loader.discard(block, ranges ?? []);
        if (name === 'POSTCOPY_LISTEN') loader.listen();
      },
    },
  );
  try {
    reader.push(bytes);
    reader.end();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return { status: reader.status, error };
  }
  return { status: reader.status };
}

/** Reads a return path as the source of `ramBytes` of RAM does. @throws what is no error of the return path */
export function readReturnPath(dialect: Dialect, ramBytes: number, mode: ReturnPathMode, bytes: Buffer): End {
  const blocks = new Map([['ram', { length: ramBytes }]]);
  const recovering = () => ({ ok: mode === 'recovery', status: mode === 'precopy' ? 'active' : 'postcopy-active' });
  const reader = new ReturnPathReader(dialect.stream, () => undefined, { blocks, recovering });
  try {
    reader.push(bytes);
    reader.end();
  } catch (error) {
    if (!(error instanceof ReturnPathError)) throw error;
    return { status: 'failed', error };
  }
  return { status: 'complete' };
}
