import { pageSize } from '../ram/guest-ram.js';
import type { LocalBlock } from './local-machine.js';
import { mappedBlock } from './mapped-ram.js';
import type { ReaderContext, Steps } from './reader-context.js';
import type { StreamBlock } from './stream-handler.js';

/** Reads the block list of a setup record (stream-format.md §5.1): it ends when the lengths add up to the total. */
export class RamSetupReader {
  #left = 0;

  constructor(private readonly context: ReaderContext) {}

  begin(total: number): void {
    this.#left = total;
    this.context.handler.ramSetup?.(total);
  }

  *entries(): Steps {
    while (this.#left !== 0) {
      const length = yield* this.#entry();
      // A list that overshoots never ends by itself: the next "name" is then refused, as a real destination does.
      this.#left -= length;
    }
  }

  *#entry(): Steps<number> {
    const { context } = this;
    const { state, source, handler } = context;
    const at = source.offset;
    const name = yield* context.str8();
    const length = yield* context.be64();
    const block = context.local === undefined ? this.#learn(name, length) : state.blocks.get(name);
    if (block === undefined) {
      const lines = [`Unknown ramblock "${name}", cannot accept migration`];
      throw context.fail('INV', {
        offset: at,
        field: 'block name',
        expected: 'a known block',
        got: `'${name}'`,
        lines,
      });
    }
    const resized = context.local === undefined ? block : this.#checkLength(block, length, at);
    let remotePageSize: number | undefined;
    if (state.ramAdvised && block.pageSize !== pageSize) {
      remotePageSize = yield* context.be64();
      if (remotePageSize !== block.pageSize) {
        throw context.fail('INV', {
          field: `page size of block '${name}'`,
          expected: `${block.pageSize}`,
          got: `${remotePageSize}`,
          lines: [`Mismatched RAM page size of ${name}: ${remotePageSize} in, ${block.pageSize} here`],
        });
      }
    }
    const guestAddress = context.guestAddresses ? yield* context.be64() : undefined;
    context.checkEnd('setup record');
    handler.ramSetupBlock?.({ block: resized, length, pageSize: remotePageSize, guestAddress });
    if (context.mappedRam) yield* mappedBlock(context, resized);
    return length;
  }

  /** Without a machine to compare with, the sender's list is the truth. */
  #learn(name: string, length: number): StreamBlock | undefined {
    const { blocks } = this.context.state;
    if (name === '' || length === 0 || length > this.#left) return undefined;
    const known = blocks.get(name);
    if (known !== undefined && known.length === length) return known;
    const made: StreamBlock = { name, length, index: known?.index ?? blocks.size, pageSize };
    blocks.set(name, made);
    return made;
  }

  #checkLength(block: StreamBlock, length: number, at: number): StreamBlock {
    if (length === block.length) return block;
    const { context } = this;
    const most = localBlock(context, block.name)?.maxLength ?? 0;
    if (length > 0 && length <= most && length % pageSize === 0) {
      const resized: StreamBlock = { ...block, length };
      context.state.blocks.set(block.name, resized);
      return resized;
    }
    const [got, own] = [`0x${length.toString(16)}`, `0x${block.length.toString(16)}`];
    const text = context.rules.lengthMismatch;
    const line = `${text}: ${block.name}: ${got}${text === 'Length mismatch' ? ' in' : ''} != ${own}: Invalid argument`;
    const field = `used length of block '${block.name}'`;
    throw context.fail('INV', { offset: at, field, expected: own, got, lines: [line] });
  }
}

function localBlock(context: ReaderContext, name: string): LocalBlock | undefined {
  return context.local?.blocks.find((block) => block.name === name);
}
