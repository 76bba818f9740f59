import { closeSync, openSync, writeSync } from 'node:fs';
import { StreamWriter } from '../stream/stream-writer.js';
import { writeDevices } from './device-state.js';
import { reasonOf } from './errno.js';
import type { MigrationHost } from './host.js';

/**
 * Writes the device state of `xen-save-devices-state`: header without configuration, full sections of all devices but
 * RAM, end mark (MIG-CMD-XEN-01).
 * @returns the error text, or undefined
 */
export function saveDevices(host: MigrationHost, path: string): string | undefined {
  const writer = new StreamWriter(host.dialect.stream);
  writer.header();
  writeDevices(writer, host.dialect, host.runState, false, host.guestTime);
  writer.eof();
  let fd: number;
  try {
    fd = openSync(path, 'w', 0o600);
  } catch (error) {
    return `Unable to open ${path}: ${reasonOf(error)}`;
  }
  try {
    writeSync(fd, writer.out.takeJoined());
    return undefined;
  } catch {
    return 'An IO error has occurred';
  } finally {
    closeSync(fd);
  }
}
