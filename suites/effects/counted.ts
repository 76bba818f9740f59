/** commands.md §8.2: the figures of RAM held against a stream that was kept from begin to end. */
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import { RamFlag, SectionType } from '../../reference/stream/format.js';
import { fitsExactly } from '../commands/dialect-fit.js';
import type { Recording } from '../stream-format/recording.js';

/** Bytes that are counted as RAM: the records of pages, and the mark at the end of each PART section, but of no other one. */
export function bytesOfRam({ pages, sections }: Recording): number {
  const parts = sections.filter(({ idstr, type }) => idstr === 'ram' && type === SectionType.part);
  const records = pages.map(({ block, continued, payload }) => 8 + (continued ? 0 : 1 + block.length) + payload.length);
  return records.reduce((sum, bytes) => sum + bytes, 8 * parts.length);
}

/**
 * What a source shows of its plain migration is what came.
 * @param info what `query-migrate` says when it is over. @param bytes of the stream
 */
export function countsStream(t: Trial, info: JsonObject, recording: Recording, bytes: number): void {
  const shown = isObject(info.ram) ? info.ram : {};
  const count = (kind: number) => recording.pages.filter((page) => page.kind === kind).length;
  const [normal, duplicate] = [count(RamFlag.page), count(RamFlag.zero)];
  t.same(shown.normal, normal, 'normal');
  t.same(shown['page-size'], recording.pages.find(({ kind }) => kind === RamFlag.page)?.payload.length, 'page-size');
  t.same(shown['normal-bytes'], normal * Number(shown['page-size']), 'normal-bytes');
  t.same(shown.duplicate, duplicate, 'duplicate');
  t.same(shown.total, recording.total, 'total');
  // What a release counts beside the records of pages differs; more than all that it sent is wrong in each.
  const least = recording.pages.reduce((sum, { payload }) => sum + 8 + payload.length, 0);
  const sent = Number(shown.transferred);
  t.check(sent >= least && sent <= bytes, `${least} to ${bytes} bytes`, String(sent), 'transferred');
  if (fitsExactly(t.facts)) {
    const all = t.dialect.migration.transferredIsRam ? bytesOfRam(recording) : bytes;
    t.same(sent, all, 'transferred');
  }
  const parts = ['precopy-bytes', 'downtime-bytes', 'postcopy-bytes'].map((name) => shown[name]);
  if (parts.includes(undefined)) return;
  const [before = 0, behind = 0, after] = parts.map(Number);
  const both = before + behind;
  t.check(both >= least && both <= bytes, `${least} to ${bytes} bytes`, parts.join(', '), 'precopy and downtime');
  if (fitsExactly(t.facts)) t.same(both, bytesOfRam(recording), 'precopy and downtime, the records of RAM');
  t.check(before >= behind, 'most of it before the downtime', parts.join(', '), 'precopy-bytes');
  t.same(after, 0, 'postcopy-bytes');
}
