/** Monitors with an illness that no fault of the reference has: the reference, with a module loaded before it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ExecutableSettings, referenceTarget } from '../../targets/executable.js';
import type { Target } from '../../targets/target.js';

const illnesses = {
  /** Keeps three descriptors of each connection for itself. */
  descriptors: `
    import { openSync } from 'node:fs';
    import { Server } from 'node:net';
    const emit = Server.prototype.emit;
    Server.prototype.emit = function (name, ...rest) {
      if (name === 'connection') for (let n = 0; n < 3; n++) openSync('/dev/null');
      return emit.call(this, name, ...rest);
    };`,
  /** Keeps 4 MiB of memory for each connection. */
  memory: `
    import { Server } from 'node:net';
    const [emit, kept] = [Server.prototype.emit, []];
    Server.prototype.emit = function (name, ...rest) {
      if (name === 'connection') kept.push(Buffer.alloc(4 << 20, 1));
      return emit.call(this, name, ...rest);
    };`,
  /** Stands still when it should answer a command with an id such as `value-1`: it lives, and never speaks again. */
  wedged: `
    import { Socket } from 'node:net';
    const write = Socket.prototype.write;
    Socket.prototype.write = function (chunk, ...rest) {
      if (chunk.includes('"value-')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return write.call(this, chunk, ...rest);
    };`,
} as const;

export type Illness = keyof typeof illnesses;

/** @param folder takes the module that is loaded */
export function illTarget(illness: Illness, folder: string, settings: ExecutableSettings = {}): Target {
  const place = join(folder, `${illness}.mjs`);
  writeFileSync(place, illnesses[illness]);
  return referenceTarget(illness, [], { ...settings, env: { NODE_OPTIONS: `--import=${pathToFileURL(place).href}` } });
}
