import { reasonOf } from '../migration/errno.js';
import type { GuestRam } from '../ram/guest-ram.js';
import type { BackendSpec, LoaderSpec } from './options.js';
import { UsageError } from './usage-error.js';

/** Fills RAM from image files (`-device loader`), at the start and again at each reset. */
export class ImageLoader {
  readonly #images: readonly { readonly address: number; readonly data: Buffer }[];

  /** @throws UsageError for an image that cannot be read or does not fit. */
  constructor(
    private readonly ram: GuestRam,
    specs: readonly LoaderSpec[],
    private readonly readImage: (file: string) => Buffer,
    private readonly backend?: BackendSpec,
  ) {
    this.#images = specs.map(({ option, file, address }) => {
      let data: Buffer;
      try {
        data = readImage(file);
      } catch (error) {
        throw new UsageError(`${option}: Cannot load specified image ${file}: ${reasonOf(error)}`);
      }
      if (address + data.length > ram.total) {
        throw new UsageError(
          `${option}: Cannot load specified image ${file}: its ${data.length} bytes at ${address} do not fit into ${ram.total} bytes of RAM`,
        );
      }
      return { address, data };
    });
  }

  load(): void {
    this.#readBackend();
    for (const { address, data } of this.#images) {
      for (const block of this.ram.blocks) {
        const from = Math.max(address, block.base);
        const to = Math.min(address + data.length, block.base + block.bytes.length);
        if (from < to) this.ram.write(block, from - block.base, data.subarray(from - address, to - address));
      }
    }
  }

  /** What stands in the file is what RAM holds; a file that is too short holds zeros behind its end. */
  #readBackend(): void {
    const { backend } = this;
    if (backend === undefined) return;
    let data: Buffer;
    try {
      data = this.readImage(backend.path);
    } catch (error) {
      throw new UsageError(`${backend.option}: can't open backing store ${backend.path}: ${reasonOf(error)}`);
    }
    const [block] = this.ram.blocks;
    if (block !== undefined) data.copy(block.bytes, 0, 0, block.bytes.length);
  }
}
