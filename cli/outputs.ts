/** `--report FORMAT=FILE`: which reports are written where. Every file is opened before the run, so that it cannot fail after. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import pc from 'picocolors';
import { StorageError } from '../campaign/folder.js';
import type { RunEvent } from '../oracle/run-events.js';
import { JunitReport } from '../reports/junit.js';
import { MarkdownReport } from '../reports/markdown.js';
import { NdjsonReport } from '../reports/ndjson.js';
import type { Report, Write } from '../reports/report.js';
import { TapReport } from '../reports/tap.js';
import { TerminalReport } from '../reports/terminal.js';
import { UsageError } from './failures.js';
import type { Io } from './io.js';

const formats = ['terminal', 'tap', 'junit', 'json', 'markdown'] as const;
export type Format = (typeof formats)[number];

export interface ReportRequest {
  readonly format: Format;
  /** `-` is standard output. */
  readonly file: string;
}

/** @throws UsageError naming the part that is wrong */
export function parseReports(texts: readonly string[]): ReportRequest[] {
  const requests = texts.flatMap((text) => text.split(',')).map(parseReport);
  const seen = new Set<string>();
  for (const { file } of requests) {
    const place = file === '-' ? file : resolve(file);
    if (seen.has(place)) {
      throw new UsageError(`two reports cannot both be written to ${file === '-' ? 'standard output' : file}`);
    }
    seen.add(place);
  }
  return requests;
}

function parseReport(text: string): ReportRequest {
  const at = text.indexOf('=');
  const format = at === -1 ? text : text.slice(0, at);
  const known = formats.find((one) => one === format);
  if (known === undefined) {
    throw new UsageError(
      `unknown report format '${format}'; did you mean '${closest(format, formats)}'? The formats are ${formats.join(', ')}`,
    );
  }
  const file = at === -1 ? '' : text.slice(at + 1);
  if (file === '')
    throw new UsageError(`--report ${text} names no file: write ${known}=FILE, or ${known}=- for standard output`);
  return { format: known, file };
}

/** All reports of a run as one. */
export class Outputs implements Report {
  private readonly reports: Report[] = [];
  private readonly files: number[] = [];
  private begun = false;
  private screen: Report | undefined;

  /**
   * The screen goes to standard output, or to standard error where a report has claimed the former.
   * @throws StorageError when a file cannot be written
   */
  constructor(requests: readonly ReportRequest[], io: Io, quiet: boolean) {
    try {
      for (const request of requests) this.reports.push(this.open(request, io));
    } catch (error) {
      this.close();
      throw error;
    }
    const { colors, isTTY, columns, write } = requests.some(({ file }) => file === '-') ? io.err : io.out;
    // On one screen with a report there is no room for a second one.
    if (requests.some(({ format, file }) => format === 'terminal' && file === '-')) return;
    this.screen = new TerminalReport(write, { colors, live: isTTY, quiet, ...(isTTY ? { columns } : {}) });
  }

  take(event: RunEvent): void {
    this.begun = true;
    for (const report of this.reports) report.take(event);
    this.screen?.take(event);
  }

  end(fault?: string): void {
    for (const report of this.reports) report.end(fault);
    // Of a run that did not begin the screen has nothing to say but the error, which is told as any other.
    if (this.begun) this.screen?.end(fault);
    this.close();
  }

  private open({ format, file }: ReportRequest, io: Io): Report {
    if (file === '-') return make(format, io.out.write);
    let descriptor: number;
    try {
      descriptor = openSync(file, 'w');
    } catch (error) {
      throw new StorageError(file, '', error);
    }
    this.files.push(descriptor);
    return make(format, (text) => {
      try {
        writeAll(descriptor, text);
      } catch (error) {
        throw new StorageError(file, text, error);
      }
    });
  }

  private close(): void {
    for (const descriptor of this.files) closeSync(descriptor);
    this.files.length = 0;
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

function make(format: Format, write: Write): Report {
  switch (format) {
    case 'terminal':
      return new TerminalReport(write, { colors: pc.createColors(false) });
    case 'tap':
      return new TapReport(write);
    case 'junit':
      return new JunitReport(write);
    case 'json':
      return new NdjsonReport(write);
    case 'markdown':
      return new MarkdownReport(write);
  }
}
