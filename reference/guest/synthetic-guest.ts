import type { Clock } from '../migration/host.js';
import { type GuestRam, pageSize, type RamBlock } from '../ram/guest-ram.js';
import type { GuestOptions } from './guest-options.js';

/** Milliseconds between two bursts of writes. */
const burstMs = 10;
/** Pages written in one burst at most: a rate that cannot be kept up must not starve the monitor. */
const longestBurst = 20_000;

/** What a guest is to know of its machine. */
export interface GuestMachine {
  readonly ram: GuestRam;
  readonly clock: Clock;
  /** The processors execute: the run state says so, and every page is there. */
  readonly executing: () => boolean;
}

/**
 * Stands in for a guest's programs: dirties memory at a set rate and in a set pattern while the machine runs, and is
 * slowed down by auto-converge as processors are.
 */
export class SyntheticGuest {
  /** Pages written so far. */
  written = 0;
  readonly #first: number;
  readonly #count: number;
  #throttle = 0;
  #owed = 0;
  #last: number | undefined;
  #seed = 0x9e3779b9;
  #stop: (() => void) | undefined;

  /** @throws RangeError when the pages lie outside RAM */
  constructor(
    private readonly machine: GuestMachine,
    private readonly options: GuestOptions,
  ) {
    const all = machine.ram.total / pageSize;
    this.#first = (options.from ?? 0) / pageSize;
    this.#count = options.pages ?? all - this.#first;
    if (!Number.isInteger(this.#first) || this.#first < 0 || this.#count < 1 || this.#first + this.#count > all) {
      throw new RangeError(`the guest's pages do not lie within ${all} pages of RAM`);
    }
  }

  /** Begins to execute whenever the machine does. */
  start(): void {
    this.#stop?.();
    this.#stop = this.machine.clock.after(burstMs, () => {
      this.#burst();
      this.start();
    });
  }

  /** Ends for good. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** @param percent of the time that the processors do not execute, 0 to 99 */
  throttle(percent: number): void {
    this.#throttle = percent;
  }

  #burst(): void {
    const now = this.machine.clock.now();
    const since = this.#last;
    this.#last = this.machine.executing() ? now : undefined;
    if (this.#last === undefined || since === undefined) return;
    this.#owed += (this.options.rate * (now - since) * (1 - this.#throttle / 100)) / 1000;
    const pages = Math.min(Math.floor(this.#owed), longestBurst);
    this.#owed = Math.min(this.#owed - pages, longestBurst);
    for (let n = 0; n < pages; n++) this.#write();
  }

  #write(): void {
    const turn = this.written++;
    const inOrder = this.options.pattern !== 'scatter' && this.options.pattern !== 'noise';
    const page = this.#first + ((inOrder ? turn : this.#random()) % this.#count);
    const { block, offset } = this.#place(page);
    switch (this.options.pattern) {
      case 'counter':
        block.bytes.writeBigUInt64LE(BigInt(turn + 1), offset);
        break;
      case 'zero':
        if (Math.floor(turn / this.#count) % 2 === 0) block.bytes.writeBigUInt64LE(BigInt(turn + 1), offset);
        else block.bytes.fill(0, offset, offset + pageSize);
        break;
      case 'scatter': {
        const at = offset + (this.#random() % (pageSize / 16)) * 16;
        for (let word = at; word < at + 16; word += 4) block.bytes.writeUInt32LE(this.#random(), word);
        break;
      }
      case 'noise':
        for (let word = offset; word < offset + pageSize; word += 4) block.bytes.writeUInt32LE(this.#random(), word);
    }
    this.machine.ram.markDirty(block, offset, pageSize);
  }

  #place(page: number): { readonly block: RamBlock; readonly offset: number } {
    const address = page * pageSize;
    const block = this.machine.ram.blocks.find(({ base, bytes }) => address < base + bytes.length)!;
    return { block, offset: address - block.base };
  }

  #random(): number {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return this.#seed >>> 0;
  }
}
