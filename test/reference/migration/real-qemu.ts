import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';

/** Finds a QEMU: on PATH, or where an environment variable says. */
export function findQemu(version: '7.2' | '10.0'): string | undefined {
  if (version === '10.0') {
    const named = process.env.QMPSPEC_QEMU_10;
    return named !== undefined && existsSync(named) ? named : undefined;
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'qemu-system-x86_64')).find((path) => existsSync(path));
}

/** Path of a QEMU, or the test is skipped with a printed reason; with QMPSPEC_REQUIRE_QEMU=1 its absence fails. */
export function needQemu(context: Mocha.Context, version: '7.2' | '10.0'): string {
  const found = findQemu(version);
  if (found !== undefined) return found;
  const where = version === '10.0' ? 'environment variable QMPSPEC_QEMU_10' : 'PATH';
  const reason = `no QEMU ${version}: no qemu-system-x86_64 by ${where}`;
  if (process.env.QMPSPEC_REQUIRE_QEMU === '1') throw new Error(reason);
  console.log(`    skipped: ${reason}`);
  return context.skip();
}

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly data?: Record<string, unknown>;
  readonly QMP?: unknown;
}

/** A real QEMU with an empty machine and a QMP session, just enough for these tests. */
export class RealQemu {
  readonly events: string[] = [];
  stderr = '';
  #text = '';
  #replies: Message[] = [];
  #wake: (() => void)[] = [];
  readonly #exited: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly socket: Socket,
  ) {
    this.#exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    socket.on('error', () => {});
  }

  static async start(binary: string, socketPath: string, ...args: string[]): Promise<RealQemu> {
    const child = spawn(
      binary,
      ['-M', 'none', '-nodefaults', '-display', 'none', '-qmp', `unix:${socketPath},server,nowait`, ...args],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const socket = await connectSoon(socketPath);
    const qemu = new RealQemu(child, socket);
    await qemu.#next();
    await qemu.execute('qmp_capabilities');
    return qemu;
  }

  async execute(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    this.socket.write(JSON.stringify({ execute: name, arguments: args }));
    const reply = await this.#next();
    if (reply.error !== undefined) throw new Error(`${name}: ${reply.error.desc}`);
    return reply.return;
  }

  async capabilities(...names: string[]): Promise<void> {
    const capabilities = names.map((capability) => ({ capability, state: true }));
    await this.execute('migrate-set-capabilities', { capabilities });
  }

  async until(...events: string[]): Promise<string> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const found = events.find((event) => this.events.includes(event));
      if (found !== undefined) return found;
      await this.#change(deadline, () => `no ${events.join(' or ')} in: ${this.events.join(' ')}; ${this.stderr}`);
    }
  }

  /** The first `size` bytes of RAM. */
  async memory(size: number, path: string): Promise<Buffer> {
    await this.execute('pmemsave', { val: 0, size, filename: path });
    return readFileSync(path);
  }

  get exited(): Promise<number | null> {
    return this.#exited;
  }

  async kill(): Promise<void> {
    this.socket.destroy();
    this.child.kill('SIGKILL');
    await this.#exited;
  }

  #read(text: string): void {
    this.#text += text;
    for (let at = this.#text.indexOf('\n'); at !== -1; at = this.#text.indexOf('\n')) {
      const message = JSON.parse(this.#text.slice(0, at)) as Message;
      this.#text = this.#text.slice(at + 1);
      if (message.event === undefined) this.#replies.push(message);
      else if (message.event === 'MIGRATION') this.events.push(`M(${message.data?.status})`);
      else this.events.push(message.event);
    }
    const wake = this.#wake;
    this.#wake = [];
    for (const go of wake) go();
  }

  async #next(): Promise<Message> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      await this.#change(deadline, () => `no reply; ${this.stderr}`);
    }
  }

  #change(deadline: number, problem: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(problem())), Math.max(0, deadline - Date.now()));
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

async function connectSoon(path: string): Promise<Socket> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const socket = createConnection({ path });
    const ok = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (ok) return socket;
    if (Date.now() > deadline) throw new Error(`${path} does not accept connections`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
