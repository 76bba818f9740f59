/** The program as its users start it: compiled where these tests are, else from the sources. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiled = import.meta.url.endsWith('.js');
const program = fileURLToPath(new URL(`../../cli/main.${compiled ? 'js' : 'ts'}`, import.meta.url));
const loader = compiled ? [] : ['--import', fileURLToPath(import.meta.resolve('tsx'))];

/** What the program remembers of its runs stays out of the home of whoever tests it. */
const state = mkdtempSync(join(tmpdir(), 'qmpspec-state-'));
process.on('exit', () => rmSync(state, { recursive: true, force: true }));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program whose output can be waited for. */
export class Running {
  private readonly child;
  private stdout = '';
  private stderr = '';
  private readonly watchers = new Set<() => void>();
  private ended = false;
  readonly end: Promise<Ended>;

  /** @param options `stdout` is a file that takes the output in our place */
  constructor(
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string; stdout?: string } = {},
  ) {
    const { NODE_OPTIONS: _, QMPSPEC_DEBUG: __, ...env } = process.env;
    const file = options.stdout === undefined ? undefined : openSync(options.stdout, 'w');
    this.child = spawn(process.execPath, [...loader, program, ...args], {
      stdio: ['pipe', file ?? 'pipe', 'pipe'],
      cwd: options.cwd ?? tmpdir(),
      env: { ...env, NO_COLOR: '1', XDG_STATE_HOME: state, ...options.env },
    });
    const gather = (name: 'stdout' | 'stderr') => (part: string) => {
      this[name] += part;
      this.wake();
    };
    if (file !== undefined) closeSync(file);
    this.child.stdout?.setEncoding('utf8').on('data', gather('stdout'));
    this.child.stderr?.setEncoding('utf8').on('data', gather('stderr'));
    this.child.stdin?.end(options.input ?? '');
    this.end = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.ended = true;
        this.wake();
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves when the output so far satisfies `test`, rejects when the program ends before. */
  until(test: (output: { stdout: string; stderr: string }) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (test({ stdout: this.stdout, stderr: this.stderr })) resolve();
        else if (this.ended) reject(new Error(`it ended: ${this.stdout}${this.stderr}`));
        else return;
        this.watchers.delete(look);
      };
      this.watchers.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The reader goes away, as `| head` does. */
  closeStdout(): void {
    this.child.stdout?.destroy();
  }

  private wake(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}

export const qmpspec = (...args: string[]): Promise<Ended> => new Running(args).end;

/** Runs `work` with a folder of its own. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
