/**
 * Remembers which requirements the last run in a folder left open, for `--failed`. One small file per folder under
 * `$XDG_STATE_HOME/qmpspec` (default `~/.local/state/qmpspec`).
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { RunEvent } from '../oracle/run-events.js';
import { type Standing, standing } from '../oracle/standing.js';
import { UsageError } from './failures.js';

interface LastRun {
  readonly version: 1;
  readonly folder: string;
  readonly target: string;
  readonly began: string;
  /** Ids of what failed, or of which nothing could be said. */
  readonly failed: readonly string[];
}

const open: ReadonlySet<Standing> = new Set<Standing>(['failed', 'outdated', 'inconclusive', 'vacuous']);

function lastRunFile(env: NodeJS.ProcessEnv = process.env, folder = process.cwd()): string {
  const { XDG_STATE_HOME: state = '' } = env;
  // The XDG specification has relative paths ignored.
  const base = isAbsolute(state) ? state : join(homedir(), '.local', 'state');
  const key = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16);
  return join(base, 'qmpspec', `last-run-${key}.json`);
}

/** Gathers a run, event by event. */
export class LastRunMemory {
  private header: { target: string; began: string; strict: boolean } | undefined;
  private readonly failed: string[] = [];

  take(event: RunEvent): void {
    if (event.event === 'header') this.header = event;
    if (event.event !== 'requirement') return;
    if (open.has(standing(event, this.header?.strict))) this.failed.push(event.id);
  }

  /** A folder that cannot be written (a container's home) is no reason for a run to fail. */
  save(): void {
    if (this.header === undefined) return;
    const { target, began } = this.header;
    const run: LastRun = { version: 1, folder: process.cwd(), target, began, failed: this.failed };
    const file = lastRunFile();
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, `${JSON.stringify(run)}\n`, { mode: 0o600 });
    } catch {
      // `--failed` says then that no run is remembered.
    }
  }
}

/** What the last run in this folder left open. @throws UsageError when none is remembered */
export function lastFailures(): readonly string[] {
  const file = lastRunFile();
  try {
    const run = JSON.parse(readFileSync(file, 'utf8')) as Partial<LastRun>;
    if (run.version === 1 && Array.isArray(run.failed)) return run.failed.map(String);
  } catch {
    // Told below, with what to do.
  }
  throw new UsageError(`--failed: no earlier run in this folder is remembered (${file}); run without it first`);
}
