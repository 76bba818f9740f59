import type { StreamCommandName } from '../dialects/stream.js';
import type { BodySectionType, PageKind } from './format.js';
import type { ByteRange, Subsection } from './stream-writer.js';

/** A RAM block as the stream speaks of it. */
export interface StreamBlock {
  readonly name: string;
  /** Used length in bytes. */
  readonly length: number;
  /** Position in the receiver's list, or in the order of appearance when the receiver knows no blocks. */
  readonly index: number;
  /** Page size of the memory behind it, in bytes. */
  readonly pageSize: number;
}

/** A section as it was announced. */
export interface SectionInfo {
  readonly type: BodySectionType;
  readonly id: number;
  readonly idstr: string;
  readonly instance: number;
  /** Version id of the START or FULL section that introduced it. */
  readonly version: number;
  /** Offset of the type byte. */
  readonly offset: number;
  /** Nesting: 0 in the stream itself, 1 in a postcopy package. */
  readonly depth: number;
}

export interface SetupEntry {
  readonly block: StreamBlock;
  readonly length: number;
  readonly pageSize: number | undefined;
  readonly guestAddress: number | undefined;
}

/** A chunk of the `block` section (stream-format.md §7.1). */
export type BlockChunk =
  | { readonly kind: 'data'; readonly drive: string; readonly sector: number; readonly data: Buffer }
  | { readonly kind: 'zero'; readonly drive: string; readonly sector: number }
  | { readonly kind: 'progress'; readonly percent: number }
  | { readonly kind: 'eos' };

/** A chunk of the `dirty-bitmap` section (stream-format.md §7.2). */
export interface BitmapChunk {
  /** Flags as read, length bits included. */
  readonly flags: number;
  /** Bytes that the flags take: 1, 2 or 4. */
  readonly flagBytes: number;
  readonly node: string;
  readonly bitmap: string;
  /** With START: granularity in bytes and the bitmap's own flags. */
  readonly granularity?: number;
  readonly bitmapFlags?: number;
  /** With BITS: first sector, sector count, and the bits unless they are all zero. */
  readonly firstSector?: number;
  readonly sectors?: number;
  readonly bits?: Buffer;
}

/** A command after its payload was checked. */
export interface StreamCommand {
  readonly name: StreamCommandName;
  readonly number: number;
  readonly offset: number;
  readonly depth: number;
  /** PING: the value. PACKAGED: the size. POSTCOPY_ADVISE: OR of RAM page sizes, absent for dirty bitmaps only. */
  readonly value?: number;
  /** POSTCOPY_ADVISE: target page size. */
  readonly targetPageSize?: number;
  /** RECV_BITMAP, POSTCOPY_RAM_DISCARD. */
  readonly block?: string;
  readonly ranges?: readonly ByteRange[];
}

/**
 * What a reader tells, in stream order. Buffers are views into the reader's memory: valid during the call only, but two
 * calls with the same Buffer object mean the same bytes. A method may throw a StreamError to refuse; the reader adds the
 * place. Every method is optional.
 */
export interface StreamHandler {
  header?(): void;
  configuration?(machineName: string): void;
  configurationSubsection?(subsection: Subsection): void;
  sectionBegin?(section: SectionInfo): void;
  /** After the footer was checked. `end` is the offset behind it. */
  sectionEnd?(section: SectionInfo, end: number): void;
  /** Setup record: total bytes, before its entries. */
  ramSetup?(total: number): void;
  ramSetupBlock?(entry: SetupEntry): void;
  /**
   * A page record. The payload is `bytes[start, start + length)`: the fill byte of ZERO, the page of PAGE, the delta of
   * XBZRLE, the zlib stream of COMPRESS_PAGE. `offset` is the page's position in the block.
   */
  ramPage?(block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void;
  /**
   * May take as many PAGE, ZERO and XBZRLE records of `block` with CONTINUE as it likes at once, from the one at `bytes[start]`
   * on, which is of the given kind: whole ones that lie before `end` and keep every rule. Returns how many bytes they have;
   * the rest come as {@link ramPage}. Not asked while postcopy places pages.
   */
  pageRecords?(block: StreamBlock, kind: PageKind, bytes: Buffer, start: number, end: number): number;
  /** End of a `ram` body; the point where 3.0 and 7.2 synchronise multifd. */
  ramEos?(): void;
  /** FLUSH record: the point where 10.0 synchronises multifd. */
  ramFlush?(): void;
  /** Body of a device section, complete and checked. */
  device?(section: SectionInfo, body: Buffer): void;
  blockChunk?(chunk: BlockChunk): void;
  bitmapChunk?(chunk: BitmapChunk): void;
  /** A command that takes effect now; ignored ones only make a {@link message}. */
  command?(command: StreamCommand): void;
  /** A package's items begin; `bytes` is the complete package, valid during this call only. */
  packageBegin?(bytes: Buffer): void;
  /** End of a package's items: at EOF, or at POSTCOPY_RUN, behind which the rest is ignored. */
  packageEnd?(by: 'eof' | 'run'): void;
  /** The EOF byte of the stream itself was read. */
  eof?(): void;
  /** The vmdescription as text, cut at `StreamReaderOptions.maxDescriptionBytes`; `length` as announced. */
  vmdescription?(text: string, length: number): void;
  /** Everything was read; further bytes are not the reader's. */
  complete?(): void;
  /** A line that a real destination prints although the load goes on. */
  message?(line: string): void;
}
