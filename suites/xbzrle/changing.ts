/**
 * A source whose memory changes while it migrates: RAM is a file that we write to, and a reset of the guest marks pages
 * dirty, because the images that a loader put there are written again.
 */
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { imageFile } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import { stringifyJson } from '../../protocol/json.js';
import { eventName } from '../../protocol/message.js';
import { theReaper } from '../../targets/reaper.js';
import { NotOffered, RefusedStart, TargetError } from '../../targets/target.js';
import { Captured, memory, ramBytes, type SeenStream, seenStream } from '../stream-format/capture.js';
import { pattern } from '../stream-format/loading.js';
import type { Recording } from '../stream-format/recording.js';

export const pageSize = 4096;
/** Pages whose content we change; the first byte of each is rewritten by a reset. */
export const edits = { delta: 0, whole: 1, same: 2, sparse: 3, zero: 4, tail: 5, dense: 6 } as const;
export type Edit = keyof typeof edits;
const edited = Object.values(edits);
/** Pages that a reset marks dirty and leaves as they are: more than the buffers of a socket take. */
const filler = { from: 16, pages: 160 } as const;
/** Bytes of RAM that are not all zero. */
const usedBytes = (filler.from + filler.pages) * pageSize;

/** Content of a page before (`version` 0) and after the change. */
export function contentOf(edit: Edit, version: 0 | 1): Buffer {
  if (edit === 'zero') {
    const page = Buffer.alloc(pageSize);
    if (version === 1) page.write('zero', 200, 'latin1');
    return page;
  }
  const page = pattern(1000 + edits[edit]);
  page[0] = 0;
  if (version === 0) return page;
  const flip = (at: number) => {
    page[at] = (page[at] ?? 0) ^ 0xff;
  };
  switch (edit) {
    case 'delta':
      for (const at of [100, 101, 102, 103, 4000]) flip(at);
      break;
    case 'whole':
      for (let at = 1; at < pageSize; at++) flip(at);
      break;
    case 'sparse':
      for (let at = 64; at < pageSize; at += 64) flip(at);
      break;
    case 'tail':
      for (let at = 3900; at < pageSize; at++) flip(at);
      break;
    case 'dense':
      for (let at = 2; at < 2728; at += 2) flip(at);
      break;
    case 'same':
  }
  return page;
}

/** Number of pages that are not zero and change hands in the second pass. */
export const looked = edited.length - 1 + filler.pages;

/**
 * A source in its second pass, in which every page in question has gone, and the beginning of the new content of its memory;
 * zeros follow.
 */
export async function changed(
  t: Trial,
  more: { capabilities?: readonly string[]; parameters?: Readonly<Record<string, unknown>> } = {},
): Promise<[Captured, Buffer]> {
  const folder = theReaper().folder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'memory.bin');
  const [before, after] = [Buffer.alloc(usedBytes), Buffer.alloc(usedBytes)];
  const names = Object.keys(edits) as Edit[];
  for (const edit of names) {
    contentOf(edit, 0).copy(before, edits[edit] * pageSize);
    contentOf(edit, 1).copy(after, edits[edit] * pageSize);
  }
  const rest = Buffer.concat(Array.from({ length: filler.pages }, (_, i) => pattern(5000 + i)));
  for (const ram of [before, after]) rest.copy(ram, filler.from * pageSize);
  writeFileSync(path, before, { mode: 0o600 });
  truncateSync(path, ramBytes);
  const byte = imageFile('one-zero-byte', () => Buffer.alloc(1));
  const filling = imageFile('xbzrle-filler', () => rest);
  const loader = (file: string, page: number) => [
    '-device',
    `loader,file=${file},addr=${page * pageSize},force-raw=on`,
  ];
  const extra = [
    ...['-object', `memory-backend-file,id=ram,share=on,size=${memory}M,mem-path=${path}`],
    ...['-machine', 'memory-backend=ram'],
    ...edited.flatMap((page) => loader(byte, page)),
    ...loader(filling, filler.from),
  ];
  const firstPass = filler.pages * (pageSize + 8) + (ramBytes / pageSize) * 9;
  const one = await opened(t, {
    ...more,
    extra,
    // In the middle of the first pass, and where the pages in question have come again in the second.
    holds: [filler.pages * 2048, firstPass + 20 * pageSize],
  });
  await one.migrates();
  await one.peer.until('held', one.session.deadline);
  await one.until('active');
  await resets(one);
  await one.peer.release();
  await one.peer.until('held', one.session.deadline);
  const file = openSync(path, 'r+');
  for (const edit of names) writeSync(file, contentOf(edit, 1), 0, pageSize, edits[edit] * pageSize);
  closeSync(file);
  await resets(one);
  await one.peer.release();
  return [one, after];
}

async function opened(
  t: Trial,
  options: {
    capabilities?: readonly string[];
    extra: readonly string[];
    holds: readonly number[];
    parameters?: object;
  },
): Promise<Captured> {
  const { capabilities = [], extra, holds, parameters } = options;
  try {
    return await Captured.open(t, {
      image: null,
      capabilities: ['xbzrle', ...capabilities],
      // A pass takes more than one window, so that there is a bandwidth to judge by: far too little for a switch-over
      // while anything is dirty.
      parameters: { 'max-bandwidth': 5 << 20, 'downtime-limit': 1, ...parameters },
      start: { extra },
      holds,
    });
  } catch (error) {
    if (!(error instanceof TargetError || error instanceof RefusedStart)) throw error;
    throw new NotOffered('its machine cannot take its memory from a file');
  }
}

/** Resets the guest, and waits until it has been. */
async function resets(one: Captured): Promise<void> {
  const mark = one.session.mark();
  await one.does('system_reset');
  const find = () => one.session.since(mark).find((message) => eventName(message) === 'RESET');
  await one.session.until('event RESET', find);
}

/** A migration whose memory changes in its second pass, from begin to end. */
export async function migratedWithChanges(
  t: Trial,
  more: { parameters?: Readonly<Record<string, unknown>> } = {},
): Promise<[SeenStream, Recording]> {
  const one = await seenStream(t, `of memory that changes ${stringifyJson(more)}`, (t) => changed(t, more));
  const recording = one.recording();
  one.carries(recording);
  return [one, recording];
}

/** What the records of a page were, in stream order. */
export const kindsOf = (recording: Recording, page: number): number[] =>
  recording.pages.filter(({ offset }) => offset === page * pageSize).map(({ kind }) => kind);
