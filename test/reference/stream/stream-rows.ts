/** Streams as rows of a table: how they are made, and what a destination says to them. */
import type { StreamWriter } from '../../../reference/stream/stream-writer.js';
import { build, type DestinationOptions, hex, machine, ramId, ramPart, type TestDialect } from './builder.js';

/** A row of stream-format.md §10. */
export interface Row {
  readonly name: string;
  readonly bytes: (dialect: TestDialect) => Buffer;
  readonly lines: readonly string[] | ((dialect: TestDialect) => readonly string[]);
  readonly reason: string | ((dialect: TestDialect) => string);
  readonly dialects?: readonly TestDialect[];
  readonly options?: DestinationOptions;
}
export const head = hex('5145564d 00000003');
export const config = (length: number, rest: Buffer): Buffer => {
  const prefix = Buffer.from([7, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([head, prefix, rest]);
};
export const subsection = (dialect: TestDialect, name: string, version: number, body: Buffer): Buffer =>
  build(dialect, (writer) => {
    writer.header();
    writer.configuration('none', [{ name, version, body }]);
  });
export const be32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const capabilities = (...names: string[]): Buffer =>
  Buffer.concat([
    be32(names.length),
    ...names.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`)),
  ]);
export const later: readonly TestDialect[] = ['7.2', '10.0'];
export const withZlib: readonly TestDialect[] = ['3.0', '7.2'];

export const setupLine = "error while loading state for instance 0x0 of device 'ram'";
export const partLine = 'error while loading state section id 1(ram)';
export const inStart = (steps: (writer: StreamWriter) => void) => (dialect: TestDialect) =>
  machine(dialect, (writer) => {
    writer.start(ramId, 'ram', 0, 4);
    steps(writer);
  });
export const inPart = (steps: (writer: StreamWriter) => void) => (dialect: TestDialect) => ramPart(dialect, steps);
export const raw = (text: string, ...rest: Buffer[]) =>
  inPart((writer) => writer.out.bytes(Buffer.concat([hex(text), ...rest])));
export const named = '03 72616d';
export const page = Buffer.alloc(4096, 0x41);
export const unknownFlags = (dialect: TestDialect, flags: number): string =>
  `Unknown combination of migration flags: ${flags === 0 && dialect === '3.0' ? '0' : `0x${flags.toString(16)}`}`;
