import type { StreamCommandName } from '../dialects/stream.js';
import { pageSize } from '../ram/guest-ram.js';
import { readDiscard } from './discard-command.js';
import { PostcopyState } from './format.js';
import type { ReaderContext, Steps } from './reader-context.js';
import type { StreamError } from './stream-error.js';
import type { StreamCommand } from './stream-handler.js';

/** Payload lengths of the commands that have a fixed one. */
const fixedLengths: Partial<Record<StreamCommandName, number>> = {
  OPEN_RETURN_PATH: 0,
  PING: 4,
  POSTCOPY_LISTEN: 0,
  POSTCOPY_RUN: 0,
  PACKAGED: 4,
  ENABLE_COLO: 0,
  POSTCOPY_RESUME: 0,
  SWITCHOVER_START: 0,
};

/** Numbers that later releases may give to commands; what is higher is damage. */
const commandNumbers = 32;

/** What the item loop has to do after a command. */
export type CommandOutcome = { readonly package: number } | 'run' | undefined;

/** Reads one command behind its type byte and applies it to the receiver's state (stream-format.md §4, §9.2). */
export class CommandReader {
  #number = 0;
  #offset = 0;

  constructor(private readonly context: ReaderContext) {}

  *command(): Steps<CommandOutcome> {
    const { context } = this;
    this.#offset = context.source.offset - 1;
    this.#number = yield* context.be16();
    const length = yield* context.be16();
    context.checkEnd('command header');
    const name = context.rules.commands[this.#number];
    if (name === undefined && context.local === undefined && this.#mayBeLater()) {
      return yield* this.#skip(length);
    }
    if (name === undefined) {
      const shown = `0x${this.#number.toString(16)}`;
      const lines = [`MIG_CMD ${shown} unknown (len 0x${length.toString(16)})`];
      throw this.#fail('INV', 'command number', 'a known command', shown, lines);
    }
    try {
      const fixed = fixedLengths[name];
      if (fixed !== undefined && fixed !== length) {
        const lines = [`${name} received with bad length - expecting ${fixed}, got ${length}`];
        throw this.#fail('RANGE', 'payload length', `${fixed}`, `${length}`, lines);
      }
      return yield* this.#apply(name, length);
    } catch (error) {
      if (error instanceof Error && 'section' in error && error.section === '') error.section = name;
      throw error;
    }
  }

  #mayBeLater(): boolean {
    return this.#number >= this.context.rules.commands.length && this.#number < commandNumbers;
  }

  /** A command that a recording of a later release may hold: its length says where it ends. */
  *#skip(length: number): Steps<undefined> {
    const { context } = this;
    const shown = `command 0x${this.#number.toString(16)}`;
    yield* context.need(length);
    context.checkEnd(`payload of ${shown}`);
    context.source.pos += length;
    context.handler.message?.(`${shown} of ${length} bytes is unknown and was skipped`);
    return undefined;
  }

  *#apply(name: StreamCommandName, length: number): Steps<CommandOutcome> {
    const { context } = this;
    const { state } = context;
    switch (name) {
      case 'OPEN_RETURN_PATH':
        if (state.returnPathOpen) {
          context.handler.message?.('CMD_OPEN_RETURN_PATH called when RP already open');
          return undefined;
        }
        state.returnPathOpen = true;
        this.#tell(name);
        return undefined;
      case 'PING': {
        const value = yield* context.be32();
        if (context.local !== undefined && !state.returnPathOpen) {
          const lines = [`CMD_PING (0x${value.toString(16)}) received with no return path`];
          throw this.#fail('PERM', 'PING', 'an open return path', 'none', lines);
        }
        // A value cut off by the end of the stream is noticed at the next item, as everywhere in the item loop.
        if (!context.source.pastEnd) this.#tell(name, { value });
        return undefined;
      }
      case 'POSTCOPY_ADVISE':
        yield* this.#advise(length);
        return undefined;
      case 'POSTCOPY_LISTEN':
        this.#listen();
        return undefined;
      case 'POSTCOPY_RUN':
        this.#require('POSTCOPY_RUN', [PostcopyState.listening]);
        state.postcopy = PostcopyState.running;
        this.#tell(name);
        return 'run';
      case 'POSTCOPY_RAM_DISCARD':
        this.#require(name, [PostcopyState.advise, PostcopyState.discard]);
        state.postcopy = PostcopyState.discard;
        this.#tell(name, yield* readDiscard(context, length));
        return undefined;
      case 'PACKAGED': {
        const size = yield* context.be32();
        this.#tell(name, { value: size });
        return { package: size };
      }
      case 'ENABLE_COLO':
        if (context.local !== undefined && !context.rules.coloUnasked && !context.local.capabilities.has('x-colo')) {
          const lines = ['ENABLE_COLO received although x-colo is off'];
          throw this.#fail('INV', 'command', 'capability x-colo', 'off', lines);
        }
        this.#tell(name);
        return undefined;
      case 'POSTCOPY_RESUME':
        if (context.local !== undefined && !state.recovering) {
          context.handler.message?.('loadvm_postcopy_handle_resume: illegal resume received');
          return undefined;
        }
        state.recovering = false;
        this.#tell(name);
        return undefined;
      case 'RECV_BITMAP':
        yield* this.#recvBitmap(length);
        return undefined;
      case 'SWITCHOVER_START':
        this.#tell(name);
        return undefined;
    }
  }

  *#advise(length: number): Steps {
    const { context } = this;
    const { state, local } = context;
    const before = state.postcopy;
    state.postcopy = PostcopyState.advise;
    if (before !== PostcopyState.none) throw this.#wrongState('POSTCOPY_ADVISE', before);
    const wanted = local?.capabilities.has('postcopy-ram') ?? length === 16;
    const field = 'payload length';
    if (length === 0) {
      if (wanted) {
        const lines = ['RAM postcopy is enabled but have 0 byte advise'];
        throw this.#fail('INV', field, '16 (capability postcopy-ram is on)', '0', lines);
      }
      this.#tell('POSTCOPY_ADVISE');
      return;
    }
    if (length !== 16) {
      const lines = [`CMD_POSTCOPY_ADVISE invalid length (${length})`];
      throw this.#fail('INV', field, '0 or 16', `${length}`, lines);
    }
    if (!wanted) {
      const lines = ['RAM postcopy is disabled but have 16 byte advise'];
      throw this.#fail('INV', field, '0 (capability postcopy-ram is off)', '16', lines);
    }
    const ramPages = yield* context.be64();
    const targetPage = yield* context.be64();
    let own = 0;
    for (const block of state.blocks.values()) own |= block.pageSize;
    if (local !== undefined && ramPages !== own) {
      const lines = [`Postcopy needs matching RAM page sizes (s=${ramPages.toString(16)} d=${own.toString(16)})`];
      throw this.#fail('PERM', 'RAM page sizes', `0x${own.toString(16)}`, `0x${ramPages.toString(16)}`, lines);
    }
    if (targetPage !== pageSize) {
      const lines = [`Postcopy needs matching target page sizes (s=${targetPage} d=${pageSize})`];
      throw this.#fail('PERM', 'target page size', `${pageSize}`, `${targetPage}`, lines);
    }
    state.ramAdvised = true;
    this.#tell('POSTCOPY_ADVISE', { value: ramPages, targetPageSize: targetPage });
  }

  #listen(): void {
    const { state } = this.context;
    const before = state.postcopy;
    this.#require('POSTCOPY_LISTEN', [PostcopyState.advise, PostcopyState.discard]);
    // Without a discard before it, preparing the RAM happens only now and leaves the state one step behind, so that RUN
    // is refused (stream-format.md §9.2).
    const late = before === PostcopyState.advise && state.ramAdvised;
    state.postcopy = late ? PostcopyState.discard : PostcopyState.listening;
    this.#tell('POSTCOPY_LISTEN');
  }

  *#recvBitmap(length: number): Steps {
    const { context } = this;
    const { state } = context;
    const prefix = 'loadvm_handle_recv_bitmap:';
    const block = yield* context.str8();
    if (block === '' || context.source.pastEnd) {
      throw this.#fail('INV', 'block name', 'a name', 'none', [`${prefix} failed to read block name`]);
    }
    if (length !== block.length + 1) {
      const lines = [`${prefix} invalid payload length (${length})`];
      throw this.#fail('INV', 'payload length', `${block.length + 1}`, `${length}`, lines);
    }
    if (context.local !== undefined && !state.blocks.has(block)) {
      throw this.#fail('INV', 'block name', 'a known block', `'${block}'`, [`${prefix} block '${block}' not found`]);
    }
    if (context.local !== undefined && !state.recovering) {
      context.handler.message?.('migrate_send_rp_recv_bitmap: MSG_RP_RECV_BITMAP only used for recovery');
      return;
    }
    this.#tell('RECV_BITMAP', { block });
  }

  #require(name: StreamCommandName, states: readonly number[]): void {
    const { postcopy } = this.context.state;
    if (!states.includes(postcopy)) throw this.#wrongState(name, postcopy);
  }

  #wrongState(name: StreamCommandName, state: number): StreamError {
    const lines = [`CMD_${name} in wrong postcopy state (${state})`];
    return this.#fail('PERM', 'postcopy state', 'a state that permits the command', `${state}`, lines);
  }

  #tell(name: StreamCommandName, more: Partial<StreamCommand> = {}): void {
    const { handler, depth } = this.context;
    handler.command?.({ name, number: this.#number, offset: this.#offset, depth, ...more });
  }

  #fail(
    reason: StreamError['reason'],
    field: string,
    expected: string,
    got: string,
    lines: readonly string[],
  ): StreamError {
    return this.context.fail(reason, { offset: this.#offset, field, expected, got, lines });
  }
}
