import { KeyReader, parseKeyValues } from './key-values.js';
import { UsageError } from './usage-error.js';

/** A drive of the command line. */
export interface DriveSpec {
  readonly option: string;
  readonly name: string;
  readonly source: { readonly file: string } | { readonly size: number };
}

/** `-drive`, as far as raw images go that no device uses. @throws UsageError */
export function readDrive(value: string, option: string): DriveSpec {
  const keys = new KeyReader(parseKeyValues(value, false).values, option);
  const name = keys.text('id');
  const file = keys.text('file');
  const format = keys.text('format') ?? 'raw';
  const where = keys.text('if') ?? 'none';
  keys.end();
  if (format !== 'raw') throw new UsageError(`${option}: Unknown driver '${format}'; only raw is possible here`);
  if (where !== 'none') throw new UsageError(`${option}: machine type does not support if=${where}; use if=none`);
  if (name === undefined) throw new UsageError(`${option}: Parameter 'id' is missing`);
  if (file === undefined) throw new UsageError(`${option}: Parameter 'file' is missing`);
  return { option, name, source: { file } };
}

/** `-blockdev`: a node over a file, or over nothing. @throws UsageError */
export function readBlockdev(value: string, option: string): DriveSpec {
  const keys = new KeyReader(parseKeyValues(value, false).values, option);
  const driver = keys.text('driver');
  const name = keys.text('node-name');
  const file = keys.text('filename');
  const size = keys.text('size') ?? String(2 ** 30);
  keys.end();
  if (name === undefined) throw new UsageError(`${option}: Parameter 'node-name' is missing`);
  if (driver === 'null-co') {
    if (!/^\d{1,15}$/.test(size)) throw new UsageError(`${option}: Parameter 'size' expects a number of bytes`);
    return { option, name, source: { size: Number(size) } };
  }
  if (driver !== 'file') {
    throw new UsageError(
      `${option}: Parameter 'driver' does not accept value '${driver ?? ''}'; known are file, null-co`,
    );
  }
  if (file === undefined) throw new UsageError(`${option}: Parameter 'filename' is missing`);
  return { option, name, source: { file } };
}
