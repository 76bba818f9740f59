/**
 * What a stream says of the machine that sent it (stream-format.md §1 to §6, §9, multifd.md §3): its sections are ended and
 * described, its devices are there, its guest did what it is known to have done.
 */
import type { StreamRules } from '../../reference/dialects/stream.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { decodeGlobalState, emptyMachineDevices } from '../../reference/stream/device-layout.js';
import { SectionType } from '../../reference/stream/format.js';
import type { SectionInfo, StreamCommand } from '../../reference/stream/stream-handler.js';
import { describedSections, parseVmdescription } from '../../reference/stream/vmdescription.js';
import { wrongClock } from './clock-checks.js';

type Report = (requirement: string, text: string) => void;

/** What is known of a sender that was started as an empty machine, and of nothing else. */
export interface KnownMachine {
  /** What its guest did when it was migrated; `undefined` when that cannot be told. */
  readonly runState?: 'running' | 'prelaunch';
  /** UUID of the machine, 16 bytes; zeros when it has none. */
  readonly uuid: Buffer;
  /** The parameter compress-level; `undefined` when it may have been set. */
  readonly compressLevel?: number;
  /** It was migrated: what its guest does after another migration depends on how that one ended. */
  readonly migrated?: true;
}

/** Sections that every machine sends, and whose layout is the same in all releases. */
const everywhere = ['timer', 'globalstate'] as const;

/** Of a machine without bitmaps this one is begun, and found to have nothing to say. */
const mayStayOpen: ReadonlySet<string> = new Set(['dirty-bitmap/0']);

export class MachineChecks {
  readonly #begun = new Map<string, boolean>();
  /** Bytes of the bodies of these sections, where they are no part of a package. */
  readonly #bodies = new Map<string, number>();
  readonly #devices = new Set<string>();
  readonly #pings = new Set<number>();
  #switched = false;
  #resumed = false;
  #description: string | undefined;
  /** Bytes of the bodies of an empty machine. */
  readonly #sizes: ReadonlyMap<string, number>;

  constructor(
    private readonly rules: StreamRules,
    private readonly report: Report,
    private readonly known: () => KnownMachine | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {
    const sizes = emptyMachineDevices(rules).map(({ idstr, fields }) => [idstr, fields] as const);
    this.#sizes = new Map(sizes.map(([idstr, fields]) => [idstr, fields.reduce((sum, { size }) => sum + size, 0)]));
  }

  sectionBegin({ type, idstr, instance }: SectionInfo): void {
    const key = `${idstr}/${instance}`;
    if (type === SectionType.start) this.#begun.set(key, false);
    else if (type === SectionType.end) this.#begun.set(key, true);
  }

  device({ idstr, depth }: SectionInfo, body: Buffer): void {
    this.#devices.add(idstr);
    if (depth === 0) this.#bodies.set(idstr, body.length);
    const size = this.#sizes.get(idstr);
    if (size !== undefined && body.length > size && this.known() !== undefined)
      this.report(
        'stream-format §6.1',
        `${idstr} has ${body.length - size} bytes of subsections in a machine without any`,
      );
    const due = this.known()?.runState;
    if (idstr === 'timer' && this.known() !== undefined) {
      const ran = due === 'running' ? true : due === 'prelaunch' ? false : undefined;
      const wrong = wrongClock(body, ran, Math.max(this.now(), process.uptime() * 1000));
      if (wrong !== undefined) this.report('stream-format §6.1', wrong);
    }
    if (idstr !== 'globalstate' || due === undefined) return;
    const stored = decodeGlobalState(body);
    if (stored !== due) this.report('stream-format §6.1', `globalstate says ${stored} of a guest that was ${due}`);
  }

  command({ name, value, depth, targetPageSize }: StreamCommand): void {
    if (name === 'PING' && depth > 0) this.#pings.add(value ?? 0);
    if (name === 'POSTCOPY_RESUME') this.#resumed = true;
    const sizes = value !== undefined && targetPageSize !== undefined && value !== targetPageSize;
    if (name === 'POSTCOPY_ADVISE' && sizes && this.known() !== undefined && targetPageSize === pageSize)
      this.report('stream-format §4', `advise of RAM page sizes 0x${value?.toString(16)} by a machine of small pages`);
    if (name === 'POSTCOPY_RUN') this.#ran(depth);
  }

  vmdescription(text: string): void {
    this.#description = text;
  }

  complete(): void {
    const open = [...this.#begun].find(([key, ended]) => !ended && !mayStayOpen.has(key))?.[0];
    if (open !== undefined && !this.#resumed)
      this.report('stream-format §1', `${open} is never ended by an END section`);
    if (this.#switched || this.#resumed) return;
    this.#complete('the stream');
    if (this.#description !== undefined) this.#described(this.#description);
  }

  /** The guest of a postcopy goes on with what stood in the package. */
  #ran(depth: number): void {
    this.#switched = true;
    if (depth === 0) return;
    const [due] = this.rules.packagePings;
    if (due !== undefined && !this.#pings.has(due)) this.report('stream-format §9.1', `the package has no PING ${due}`);
    this.#complete('the package');
  }

  #complete(where: string): void {
    if (this.known() === undefined) return;
    const missing = everywhere.find((name) => !this.#devices.has(name));
    if (missing !== undefined) this.report('stream-format §6.1', `${where} has no section ${missing}`);
  }

  #described(text: string): void {
    let sizes: Map<string, number>;
    try {
      sizes = new Map(describedSections(parseVmdescription(text)).map(({ name, size }) => [name, size]));
    } catch {
      this.report('stream-format §6.2', 'the vmdescription describes no devices');
      return;
    }
    for (const name of everywhere) {
      const sent = this.#bodies.get(name);
      const described = sizes.get(name);
      if (sent === undefined || sent === described) continue;
      const what = described === undefined ? 'not at all' : `as ${described} bytes`;
      this.report('stream-format §6.2', `the vmdescription describes ${name} of ${sent} bytes ${what}`);
    }
  }
}
