import type { Drives } from '../block/drives.js';
import type { StreamWriter } from '../stream/stream-writer.js';
import type { MigrationHost } from './host.js';
import { BitmapSource } from './outgoing-bitmaps.js';
import { BlockSource } from './outgoing-block.js';
import type { Settings } from './settings.js';

/** What an outgoing migration sends of drives: their contents, their dirty bitmaps, neither or both. */
export class OutgoingStorage {
  readonly #block: BlockSource | undefined;
  readonly #bitmaps: BitmapSource | undefined;

  constructor(host: MigrationHost, settings: Settings, writer: StreamWriter) {
    const { drives, dialect } = host;
    const { sectionIds, blockSection } = dialect.stream;
    if (drives === undefined || drives.all.length === 0) return;
    if (settings.on('block') && blockSection) {
      this.#block = new BlockSource(drives, writer, sectionIds.block ?? 0, settings.on('zero-blocks'));
    }
    if (settings.on('dirty-bitmaps') && hasBitmaps(drives)) {
      this.#bitmaps = new BitmapSource(drives, writer, sectionIds['dirty-bitmap'] ?? 0);
    }
  }

  /** Disk contents wait to be sent: RAM comes behind them. */
  get pending(): boolean {
    return this.#block !== undefined && this.#block.pending > 0;
  }

  /** Bytes of the disks, for `query-migrate`. */
  get disk(): { readonly total: number; readonly transferred: number; readonly remaining: number } | undefined {
    if (this.#block === undefined) return undefined;
    const { total, transferred, remaining } = this.#block;
    return { total, transferred, remaining };
  }

  /** START sections: of the disks before that of RAM, of the bitmaps behind it. */
  startBeforeRam(): void {
    this.#block?.start();
  }
  startAfterRam(): void {
    this.#bitmaps?.start();
  }

  /** A PART section of about `room` bytes. */
  part(room: number): void {
    this.#block?.part(room);
  }

  /** END sections, in the same order. */
  endBeforeRam(): void {
    this.#block?.end();
  }
  endAfterRam(): void {
    this.#bitmaps?.end();
  }

  close(): void {
    this.#block?.close();
  }
}

const hasBitmaps = ({ all }: Drives): boolean => all.some(({ bitmaps }) => bitmaps.size > 0);
