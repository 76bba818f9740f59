import type { StreamRules } from '../dialects/stream.js';
import type { GuestRam, RamBlockSpec } from '../ram/guest-ram.js';
import { encodeGlobalState } from '../stream/device-layout.js';
import { deviceValues } from '../stream/device-values.js';
import { StreamError } from '../stream/stream-error.js';
import type { SectionInfo, StreamHandler } from '../stream/stream-handler.js';
import type { StreamWriter } from '../stream/stream-writer.js';
import { type DescribedSection, describedSections, parseVmdescription } from '../stream/vmdescription.js';

interface HeldDevice {
  readonly section: SectionInfo;
  readonly body: Buffer;
}

/** RAM that another machine may bring, in bytes. */
const mostRam = 4 * 1024 ** 3;

/**
 * The machine that came with a stream, where the monitor was told to take any (`--any-machine`): its name, its RAM
 * blocks, the state of its devices. Nothing here executes; a later migration hands all of it on as it came.
 */
export class AdoptedMachine {
  /** Machine type; undefined until one has come. */
  name: string | undefined;
  /** Id of its `ram` section. */
  ramSection: number | undefined;
  #description: string | undefined;
  #devices: HeldDevice[] = [];
  #blocks: RamBlockSpec[] = [];
  #awaited = 0;

  constructor(
    private readonly ram: GuestRam,
    private readonly log: (line: string) => void,
  ) {}

  /** What a load of any machine adds to the handling of a stream. */
  get handler(): StreamHandler {
    return {
      configuration: (name) => {
        this.name = name;
        this.#devices = [];
      },
      sectionBegin: ({ idstr, id }) => {
        if (idstr === 'ram') this.ramSection = id;
      },
      ramSetup: (total) => {
        if (total > mostRam) throw tooLarge(total);
        this.#blocks = [];
        this.#awaited = total;
      },
      ramSetupBlock: ({ block, length }) => this.#block(block.name, length),
      device: (section, body) => {
        this.#devices.push({ section, body: Buffer.from(body) });
      },
      vmdescription: (text) => this.#describe(text),
    };
  }

  /** Writes the devices as they came, but for the run state. */
  write(writer: StreamWriter, rules: StreamRules, runState: string): void {
    for (const { section, body } of this.#devices) {
      const { id, idstr, instance, version } = section;
      const now = idstr === 'globalstate' ? encodeGlobalState(rules, runState) : body;
      writer.device(id, idstr, instance, version, now);
    }
  }

  /** The vmdescription as it came. */
  get description(): string | undefined {
    return this.#description;
  }

  /** RAM takes the shape of the stream once its list of blocks is complete. */
  #block(name: string, size: number): void {
    this.#blocks.push({ name, size });
    this.#awaited -= size;
    if (this.#awaited > 0) return;
    const { blocks } = this.ram;
    const same = blocks.length === this.#blocks.length && this.#blocks.every((one, at) => isBlock(blocks[at], one));
    if (same) return;
    try {
      this.ram.become(this.#blocks);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const lines = [error.message];
      throw new StreamError('INV', { field: 'RAM block', expected: 'a block that can be', got: `'${name}'`, lines });
    }
  }

  /** Every device has to be what the description says: the same ones in the same order, each to its last byte. */
  #describe(text: string): void {
    let described: DescribedSection[];
    try {
      described = describedSections(parseVmdescription(text));
    } catch {
      // As a real destination, which does not look at it at all.
      this.log('the vmdescription cannot be read, so the devices are taken as they came');
      return;
    }
    this.#description = text;
    for (const [at, { name, instance, size, device }] of described.entries()) {
      const held = this.#devices[at];
      const got = held && `${held.section.idstr} ${held.section.instance}, ${held.body.length} bytes`;
      const expected = `${name} ${instance}, ${size} bytes`;
      if (held === undefined || got !== expected) throw undescribed(expected, got ?? 'no further device');
      if (device.vmsd_name !== undefined) deviceValues(device, held.body);
    }
    const further = this.#devices[described.length];
    if (further !== undefined) throw undescribed('no further device', further.section.idstr);
    this.log(`took a machine '${this.name}' with ${described.length} devices, each as its description says`);
  }
}

const isBlock = (block: { readonly name: string; readonly bytes: Buffer } | undefined, spec: RamBlockSpec): boolean =>
  block?.name === spec.name && block.bytes.length === spec.size;

function undescribed(expected: string, got: string): StreamError {
  const lines = [`a device is not what the vmdescription says: expected ${expected}; got ${got}`];
  return new StreamError('INV', { field: 'device', expected, got, lines });
}

function tooLarge(total: number): StreamError {
  const lines = [`${total} bytes of RAM are more than the ${mostRam} that are possible here`];
  return new StreamError('INV', { field: 'RAM size', expected: `at most ${mostRam}`, got: `${total}`, lines });
}
