/** A real QEMU of a given version as the opposite number of the reference monitor. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Path of a QEMU whose version begins so; `undefined` if there is none. QMPSPEC_REQUIRE_QEMU=1 makes that an error. */
export function findQemu(version: '7.2' | '10.0'): string | undefined {
  const candidates = ['qemu-system-x86_64', process.env.QMPSPEC_QEMU_10];
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    const { stdout } = spawnSync(candidate, ['--version'], { encoding: 'utf8' });
    if (stdout?.includes(`version ${version}.`)) return candidate;
  }
  if (process.env.QMPSPEC_REQUIRE_QEMU === '1')
    throw new Error(`QMPSPEC_REQUIRE_QEMU=1, but there is no QEMU ${version}`);
  return undefined;
}

export class RealQemu {
  readonly #folder = mkdtempSync(join(tmpdir(), 'qmpspec-'));
  readonly #process: ChildProcess;
  #socket: Socket | undefined;
  #text = '';
  #wake = () => {};

  constructor(binary: string, args: readonly string[] = []) {
    const monitor = `unix:${this.#path},server,nowait`;
    const common = ['-M', 'none', '-nodefaults', '-display', 'none', '-m', '1M', '-qmp', monitor];
    this.#process = spawn(binary, [...common, ...args], { stdio: 'ignore' });
    this.#process.once('exit', () => this.#wake());
  }

  get #path(): string {
    return join(this.#folder, 'qmp');
  }

  /** Connects, and negotiates; retries while the process is still starting. */
  async connect(): Promise<void> {
    for (;;) {
      try {
        this.#socket = await new Promise<Socket>((resolve, reject) => {
          const socket = connect(this.#path, () => resolve(socket)).once('error', reject);
        });
        break;
      } catch (error) {
        if (this.#process.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    await this.until('{"execute":"qmp_capabilities"}', /\{"return": \{\}\}\r\n/);
  }

  /** Sends bytes, one character each; returns all that comes up to and including a match of `end`. */
  async until(bytes: string, end: RegExp): Promise<string> {
    this.#socket!.write(bytes, 'latin1');
    let match = end.exec(this.#text);
    while (!match) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null)
        throw new Error(`QEMU is gone (${this.#process.exitCode ?? this.#process.signalCode})`);
      const deadline = setTimeout(() => this.#wake(), 10_000);
      const before = this.#text.length;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      clearTimeout(deadline);
      if (this.#text.length === before) throw new Error(`no answer; so far: ${this.#text.slice(-200)}`);
      match = end.exec(this.#text);
    }
    const length = match.index + match[0].length;
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return text;
  }

  async stop(): Promise<void> {
    this.#socket?.destroy();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
