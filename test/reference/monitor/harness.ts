/** Runs the reference monitor inside the test process, with clients on in-memory streams. */
import { PassThrough } from 'node:stream';
import type { Migration } from '../../../reference/migration/index.js';
import type { CreateEngine } from '../../../reference/monitor/engine.js';
import { parseOptions } from '../../../reference/monitor/options.js';
import { Program } from '../../../reference/monitor/program.js';
import { loadSchema } from '../../../reference/schema/index.js';

export type Received = Readonly<Record<string, unknown>>;

/** A machine that cannot migrate. */
const noEngine: CreateEngine = () => ({
  commands: new Map(),
  startIncoming: () => Promise.resolve(),
  deferIncoming: () => {},
  shutdown: () => {},
  close: () => {},
  ramIncomplete: false,
});

/** One client: what it sent arrives at once, what it got is kept as lines. */
export class Client {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  #text = '';
  ended = false;

  constructor() {
    this.output.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
    });
    this.output.on('end', () => {
      this.ended = true;
    });
  }

  readonly channel = {
    input: this.input,
    output: this.output,
    end: () => new Promise<void>((resolve) => this.output.end(resolve)),
  };

  /** Sends bytes, one character each, and returns the text of everything that comes back until nothing more does. */
  async raw(bytes: string): Promise<string> {
    this.#text = '';
    this.input.write(bytes, 'latin1');
    await settle();
    return this.#take();
  }

  /** As {@link raw}, the answers parsed. */
  async send(bytes: string): Promise<Received[]> {
    return parse(await this.raw(bytes));
  }

  /** Runs one command: its arguments, then what came back for it, events included. */
  async command(execute: string, args?: object): Promise<Received[]> {
    return this.send(JSON.stringify({ execute, arguments: args }));
  }

  /** What has arrived since the last call of anything here. */
  async received(): Promise<Received[]> {
    await settle();
    return parse(this.#take());
  }

  #take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

export function parse(text: string): Received[] {
  return text
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Received);
}

/** Waits until the monitor has nothing left to do: it works in immediates and microtasks only. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 25; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export interface Setup {
  readonly args?: readonly string[];
  readonly pretty?: boolean;
  readonly oob?: boolean;
  readonly engine?: Partial<Migration>;
}

export interface Running {
  readonly program: Program;
  /** Exit status, once the program has ended. */
  readonly exit: { status: number | undefined };
  /** A client of a further monitor, the greeting still in its buffer. */
  client(): Client;
  stop(): Promise<void>;
}

/** Starts a machine with the given command line and no monitors of its own. */
export async function run({ args = [], pretty = false, oob, engine = {} }: Setup = {}): Promise<Running> {
  const exit: Running['exit'] = { status: undefined };
  let left = () => {};
  const gone = new Promise<void>((resolve) => {
    left = resolve;
  });
  const program = new Program(parseOptions(['-m', '1', ...args]), (status) => {
    exit.status = status;
    left();
  });
  await program.start(async () => ({
    schema: ({ name }) => loadSchema(name),
    createEngine: (host) => ({ ...noEngine(host), ...engine }),
  }));
  return {
    program,
    exit,
    client() {
      const client = new Client();
      const address = { kind: 'stdio', multiplexed: false } as const;
      program.createMonitor({ option: 'test', address, pretty, oob }).attach(client.channel);
      return client;
    },
    async stop() {
      program.machine.exit(0);
      await gone;
    },
  };
}

/** Starts a machine and one client that has negotiated. */
export async function connected(setup: Setup = {}): Promise<Running & { readonly first: Client }> {
  const running = await run(setup);
  const first = running.client();
  await first.send(`{"execute":"qmp_capabilities","arguments":{"enable":[${setup.oob ? '"oob"' : ''}]}}`);
  return { ...running, first };
}

/** The desc of an error reply; its class in front unless it is GenericError; `R` for success, `E:NAME` for an event. */
export function brief(message: Received): string {
  if (typeof message.event === 'string') return `E:${message.event}`;
  const error = message.error as { readonly class: string; readonly desc: string } | undefined;
  if (!error) return 'R';
  return error.class === 'GenericError' ? error.desc : `${error.class}: ${error.desc}`;
}
